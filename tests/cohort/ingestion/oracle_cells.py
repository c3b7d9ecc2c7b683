"""Cells as the documentation reads them: blanks, numbers, times, spellings of ids. Of no use to the package itself."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["NUMBER", "Refused", "as_number", "cleaned", "mostly_numbers", "plain_key", "texts_of", "times_of"]

NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_DURATION = re.compile(r"(?:(\d+) day )?([+-]?)(\d+):(\d\d)(?::(\d\d))?")
_STAMP = re.compile(r"(\d{4}[-/]\d\d?[-/]\d\d?)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?))?(Z|[+-]\d\d(?::?\d\d)?)?")
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff"
_MOST_MINUTES = 100 * 365.25 * 1440
#: Written numbers that a reader of people's tables sees as such, beyond plain ones, and words for "no value".
_DECORATED = re.compile(r"[<>]? ?\d+([.,]\d+)?( ?(mg/L|%|\*))?|\(\d+\)|\d[ ,_]\d{3}|\d+e\d+|\d/\d|[５٣]")
_WORDS = frozenset(("na", "n/a", "nan", "inf", "-infinity", "not done", "?", "none"))


class Refused(Exception):
    """A case that must be refused.

    Args:
        dirt: The dirt that is the reason, one of those planted.
        words: What the message says; a regular expression.
        others: Dirt that may be the reason instead.
    """

    def __init__(self, dirt: str, words: str, *others: str) -> None:
        super().__init__(dirt)
        self.dirt, self.words = {dirt, *others}, words

    @staticmethod
    def any_of(reasons: Sequence[Refused]) -> Refused:
        """Several reasons, of which any may be told."""
        first, *rest = reasons
        first.dirt = first.dirt.union(*(reason.dirt for reason in rest))
        first.words = "|".join(reason.words for reason in reasons)
        return first


def cleaned(text: str) -> str | None:
    """A text without the blanks around it, of any kind; None where nothing is left."""
    before = None
    while before != text:
        before, text = text, text.strip().strip(_INVISIBLE)
    return text or None


def texts_of(column: pd.Series) -> list[Any]:
    """Cells as texts, whole floats as integers, lists as they are; None = blank."""
    return [_text(cell) for cell in column.astype(object)]


def _text(cell: Any) -> Any:
    if isinstance(cell, (list, np.ndarray)):
        return list(cell)
    if cell is None or cell is pd.NA or cell is pd.NaT or cell != cell:
        return None
    if isinstance(cell, (bool, np.bool_)):
        return str(bool(cell)).lower()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 2**53 else repr(cell)
    return cleaned(str(cell))


def as_number(cell: str | None) -> float:
    """A finite number as it is written, else NaN."""
    if cell is None or cell != cell or not NUMBER.fullmatch(cell):
        return np.nan
    value = float(cell)
    return value if np.isfinite(value) else np.nan


def mostly_numbers(cells: pd.Series, values: pd.Series) -> bool:
    """Whether more than half of the cells that say a value are numbers, whatever is written around them."""
    texts = cells[cells.notna() & values.isna()]
    decorated = texts.map(lambda text: _DECORATED.fullmatch(text) is not None).sum()
    words = texts.str.lower().isin(_WORDS).sum()
    numbers = values.notna().sum() + (decorated if values.notna().any() else 0)
    return bool(numbers and 2 * numbers > cells.notna().sum() - words)


def plain_key(key: str) -> str:
    """A key without case, quotes, zeros before it, ``.0`` and exponent."""
    form = unicodedata.normalize("NFKC", key).casefold().removeprefix("=").strip("'\"")
    form = {"true": "1", "false": "0"}.get(form, form)
    return format(Decimal(form).normalize(), "f") if NUMBER.fullmatch(form) else form


def times_of(cells: pd.Series, origins: pd.Series | None) -> pd.Series:
    """Minutes since the origin, NaN where there are none.

    Raises:
        Refused: Times of several forms, or that are none, or that lack what their origin has.
    """
    form, values = _read(cells)
    if origins is None:
        if form in ("timestamp", "zoned"):
            raise Refused("mixed times", "name the cohort column they are counted from")
        return values
    of_origin, start = _read(origins)
    if cells.notna().any() and origins.notna().any() and form != of_origin:
        raise Refused("unparsable time", "both must be of one form|hours would be lost")
    return values - start


def _read(cells: pd.Series) -> tuple[str, pd.Series]:
    """The form of all cells, and their minutes (of timestamps: since 1970)."""
    texts = cells.dropna()
    bad = Refused(
        "unparsable time", "cannot be read|write all alike", "ambiguous time", "mixed times", "zone on some",
        "origin unreadable", "epoch",
    )  # fmt: skip
    if texts.map(lambda text: NUMBER.fullmatch(text) is not None).all():
        values = texts.astype(float)
        if (values.abs() > _MOST_MINUTES).any():
            raise Refused("epoch", "beyond 100 years of minutes|read as dates", "date in digits")
        if len(values) and values.between(18000101, 21991231).all() and (values % 100).between(1, 31).all():
            raise Refused("date in digits", "read as dates")
        return "number", values.reindex(cells.index)
    if texts.map(lambda text: _DURATION.fullmatch(text) is not None).all():
        return "duration", texts.map(_duration).reindex(cells.index)
    parts = texts.map(_STAMP.fullmatch)
    if parts.isna().any():
        raise bad
    zones = parts.map(lambda part: part[3] is not None)
    if zones.nunique() > 1:
        raise bad
    try:
        stamps = texts.map(lambda text: pd.Timestamp(text.replace("/", "-")))
    except ValueError:
        raise bad from None
    if zones.all():
        stamps = stamps.map(lambda stamp: stamp.tz_convert("UTC").tz_localize(None))
    minutes = stamps.map(lambda stamp: (stamp - pd.Timestamp(0)) // pd.Timedelta(microseconds=1) / 6e7)
    return "zoned" if zones.all() else "timestamp", minutes.astype(float).reindex(cells.index)


def _duration(text: str) -> float:
    days, sign, hours, minutes, seconds = _DURATION.fullmatch(text).groups()  # type: ignore[union-attr]
    clock = int(hours) * 60 + int(minutes) + int(seconds or 0) / 60
    return int(days or 0) * 1440 + (-clock if sign == "-" else clock)
