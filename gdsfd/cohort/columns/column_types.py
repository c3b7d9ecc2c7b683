"""Numeric or categorical? Decided per column of a table modality by what its cells hold."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gdsfd.cohort.columns.cells import Cells
from gdsfd.cohort.columns.derived_number import way_to_derive
from gdsfd.cohort.columns.number_lookalikes import Lookalikes, judge_texts
from gdsfd.cohort.columns.thousands import thousands_doubt
from gdsfd.cohort.columns.wide_rows import WideRows
from gdsfd.cohort.spec import TableSpec
from gdsfd.errors import InputError, cell_text, cut_text

__all__ = ["ColumnType", "explained_texts", "type_of"]

_TRUTH = ("true", "false")
_MOSTLY_UNIQUE, _ENOUGH_ROWS = 0.9, 20
_TEXTS = 5000  #: distinct texts of a column that are looked at; of more, as many spread over its rows
_TRIED = 50  #: cells that an expression has to read before a message tells it
_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}[.][0-9]{3}")
_SOME, _SHARE = 10, 0.05  #: numbers among the levels of a category, and their share of its cells, that are told


@dataclass(frozen=True)
class ColumnType:
    """What becomes of a column.

    Args:
        kind: ``numeric``, ``categorical``, or ``left out``.
        why: Why it is left out.
        warning: What to tell although it is taken.
    """

    kind: Literal["numeric", "categorical", "left out"]
    why: str = ""
    warning: str = ""


def type_of(cells: Cells, rows: WideRows, modality: TableSpec, by_name: bool) -> ColumnType:
    """Numeric, categorical, or left out.

    A column is numeric when all its measured cells are numbers, and an error when most are, or would be without what
    is written around them (:mod:`~gdsfd.cohort.columns.number_lookalikes`). Times and columns with nearly a
    text of its own per row (ids, free text) are left out.

    Args:
        cells: The column.
        rows: The rows.
        modality: The spec's entry.
        by_name: Whether the spec names the column, so that it is not left out for looking like an id.

    Raises:
        InputError: A column that looks numeric but holds text.
    """
    name = cells.name
    total, readable = int(cells.measured.sum()), int(cells.readable.sum())
    if name in modality.categorical:
        return ColumnType("categorical")
    if name in modality.numeric:
        return _numeric(cells, rows, modality)
    if cells.kind == "time" or (cells.kind == "text" and readable < total and _is_time(cells, rows)):
        return ColumnType("left out", "holds times and was left out; derive a number to use it")
    if cells.kind == "nested":
        return ColumnType("left out", "is a list or a structure and was left out")
    if not total:
        return ColumnType("left out", "has no measured value and was left out")
    if readable == total:
        _check_truths(cells, rows, modality)
        like_an_id = name.lower().endswith("id") and total >= _ENOUGH_ROWS and not by_name
        if like_an_id and len(np.unique(cells.values[cells.readable])) == total:
            return ColumnType("left out", "looks like an id and was left out; list it under numeric to take it")
        return ColumnType("numeric", warning=_leading_zeros(cells) or _points_between_thousands(cells))
    if cells.kind == "number":
        return _numeric(cells, rows, modality)
    found = _lookalikes(cells)
    if found.mostly_numbers:
        return _numeric(cells, rows, modality, found)
    codes, _ = cells.texts
    different_texts = len(np.unique(codes[cells.measured]))
    if total >= _ENOUGH_ROWS and different_texts > _MOSTLY_UNIQUE * total:
        why = "has a text of its own in nearly every row and was left out; list it under categorical to take it"
        return ColumnType("left out", why)
    numbers = found.numbers + found.decorated
    warning = ""
    if numbers >= _SHARE * total and len(np.unique(cells.values[cells.readable])) >= _SOME:
        warning = (
            f"{numbers:,} of {total:,} values are numbers, the others are not; it was read as a category. List it "
            "under categorical if that is meant, or derive a number"
        )
    return ColumnType("categorical", warning=warning)


def explained_texts(column: str, cells: list[str], plain: list[str] | None = None) -> str:
    """What the cells of a column that are no numbers look like, and what to do, for messages.

    Args:
        column: The column.
        cells: Distinct cells that are no numbers as written.
        plain: Some that are: what is told to be derived has to read them, too.
    """
    found = judge_texts(cells, [1] * len(cells), [False] * len(cells))
    return _ways_out(column, found, [*cells, *(plain or [])], "")


def _numeric(cells: Cells, rows: WideRows, modality: TableSpec, found: Lookalikes | None = None) -> ColumnType:
    """Numeric, once all measured cells are known to be numbers or may be read as missing."""
    total, readable = int(cells.measured.sum()), int(cells.readable.sum())
    if readable == total:
        _check_truths(cells, rows, modality)
        return ColumnType("numeric")
    wrong = np.flatnonzero(cells.measured & ~cells.readable)
    if modality.invalid == "missing":
        rows.rows.notes.append(
            f"column {cells.name!r}: {total - readable} cells are not numbers and were read as missing"
        )
        if not readable and cells.name not in modality.numeric:
            return ColumnType("left out", "holds no value that is a number as written and was left out")
        lost = f"{total - readable:,} of {total:,} values are not numbers as written and were read as missing"
        return ColumnType("numeric", warning=lost if 2 * readable <= total else "")
    listed = ", ".join(
        f"{cell_text(cell)} (id {cut_text(rows.owner(int(row)))})"
        for cell, row in zip(cells.shown(wrong[:5]), wrong[:5])
    )
    if cells.kind == "text":
        found = found or _lookalikes(cells)
        plain = np.flatnonzero(cells.measured & cells.readable)
        texts = [*cells.shown(wrong[:_TRIED]), *cells.shown(plain[:_TRIED])]
        ways = _ways_out(cells.name, found, texts, "list the column under categorical")
    else:
        ways = "list the column under categorical, add the value to missing, derive a number"
    raise InputError(
        f"modality {modality.name!r}: column {cells.name!r} of {rows.rows.view.label} looks numeric but "
        f"{total - readable} values are not: {listed}. {ways[0].upper()}{ways[1:]}, or set invalid = 'missing'"
    )


def _check_truths(cells: Cells, rows: WideRows, modality: TableSpec) -> None:
    """Refuses ``TRUE`` among numbers such as 24.5, where it would be 1.0; among 0 and 1 it says what they say."""
    if cells.kind != "text" or cells.raw is None:
        return
    words = pc.is_in(pc.utf8_lower(cells.raw), value_set=pa.array(_TRUTH, cells.raw.type))
    truths = words.to_numpy(zero_copy_only=False) & cells.measured
    numbers = cells.readable & ~truths
    if not truths.any() or np.isin(cells.values[numbers], (0.0, 1.0)).all():
        return
    places, among = np.flatnonzero(truths), cells.shown(np.flatnonzero(numbers)[:1])[0]
    listed = ", ".join(
        f"{cell_text(cell)} (id {cut_text(rows.owner(int(row)))})"
        for cell, row in zip(cells.shown(places[:5]), places[:5])
    )
    found = ", ".join(cell_text(cell) for cell in dict.fromkeys(cells.shown(places[:_TRIED])))
    raise InputError(
        f"modality {modality.name!r}: column {cells.name!r} of {rows.rows.view.label} has {len(places)} truth values "
        f"among numbers such as {among}: {listed}. They would be 1 and 0; list them under missing = [{found}], derive "
        "a number, or list the column under categorical"
    )


def _ways_out(column: str, found: Lookalikes, texts: list[str], first: str) -> str:
    """What is written around the numbers or instead of them, and how to say what is meant."""
    ways = [first] if first else []
    words = [word for word, _ in found.words.most_common(4)]
    if words:
        ways.append(f"add to missing = [{', '.join(cell_text(word) for word in words)}]")
    else:
        ways.append("add the value to missing")
    if found.kinds:
        kinds = " or ".join(kind for kind, _ in found.kinds.most_common(3))
        way = way_to_derive(column, list(dict.fromkeys(texts)))
        ways.append(f"derive a number from what is written with {kinds}{f': {way}' if way else ''}")
    else:
        ways.append("derive a number")
    return ", ".join(ways)


def _lookalikes(cells: Cells) -> Lookalikes:
    codes, texts = cells.texts
    measured = codes[cells.measured]
    counts = np.bincount(measured, minlength=len(texts))
    first = np.zeros(len(texts), np.int64)
    filled = np.flatnonzero(codes >= 0)[::-1]
    first[codes[filled]] = filled
    plain = ~np.isnan(cells.number[first]) & ~np.array([text.lower() in _TRUTH for text in texts], bool)
    looked_at = np.flatnonzero(counts)
    if len(looked_at) > _TEXTS:
        looked_at = looked_at[np.linspace(0, len(looked_at) - 1, _TEXTS).astype(np.int64)]
    return judge_texts(
        [str(text) for text in texts[looked_at]], [int(count) for count in counts[looked_at]], plain[looked_at].tolist()
    )


def _is_time(cells: Cells, rows: WideRows) -> bool:
    """Whether all measured cells are dates, timestamps or times of day."""
    measured = np.flatnonzero(cells.measured)
    if not len(measured) or not any(sign in text for text in cells.shown(measured[:1]) for sign in "-:"):
        return False
    return bool(rows.holds_times([cells.name])[cells.name][measured].all())


def _leading_zeros(cells: Cells) -> str:
    """A warning where numbers are written as codes are: with leading zeros, all of one length."""
    if cells.kind != "text" or cells.raw is None or not pc.any(pc.starts_with(cells.raw, "0")).as_py():
        return ""
    if pc.min_max(pc.binary_length(cells.raw))["max"].as_py() == 1:
        return ""
    codes, texts = cells.texts
    used = [str(texts[k]) for k in np.unique(codes[cells.measured])]
    lengths = {len(text) for text in used}
    zeros = [text for text in used if text.isdigit() and text[0] == "0"]
    if len(lengths) == 1 and lengths != {1} and zeros and all(text.isdigit() for text in used):
        return (
            f"its values are written with leading zeros ({cell_text(zeros[0])}) as codes are, and were read as "
            "numbers; list it under categorical if they are codes"
        )
    return ""


def _points_between_thousands(cells: Cells) -> str:
    """A warning where points may stand between thousands, ``1.200`` beside ``900``: 1.2 would be the smaller one."""
    if cells.kind != "text" or cells.raw is None or not pc.any(pc.match_substring(cells.raw, ".")).as_py():
        return ""
    codes, texts = cells.texts
    used = [str(texts[k]) for k in np.unique(codes[cells.measured])]
    pointed, whole = [text for text in used if "." in text], [text for text in used if "." not in text]
    if len(pointed) < 2 or not all(_THOUSANDS.fullmatch(text) for text in pointed):
        return ""
    if not all(text.isdigit() and len(text) <= 3 for text in whole) or not any(len(text) == 3 for text in whole):
        return ""
    largest = max(whole, key=int)
    return (
        f"its {thousands_doubt(pointed[0], int(largest))}; if so, derive "
        f"CAST(replace({cells.name}__text, '.', '') AS DOUBLE)"
    )
