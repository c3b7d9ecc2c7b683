"""What a column holds, told by its cells alone: numbers, times in whichever form, words, nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gdsfd.cohort.columns.number_lookalikes import Lookalikes, is_missing_word, judge_texts
from gdsfd.cohort.times.forms import ANY_STAMP, DATE_ONLY, DURATION, HALF_CLOCK

__all__ = ["ColumnFacts", "column_facts"]

_LOOKED_AT = 400  #: distinct cells that forms are told by
_MOST_OF = 0.98  #: share of the cells that makes a form
_LOCAL = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?:[ T](\d{1,2}):(\d{2})(:\d{2})?)?")
_DIGITS = re.compile(r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_INTEGER = re.compile(r"[+-]?\d+(?:\.0+)?")


@dataclass(frozen=True)
class ColumnFacts:
    """What a column holds.

    Args:
        name: Its name.
        rows: Rows looked at.
        filled: Those that are not blank.
        distinct: Different cells.
        form: ``"number"``, ``"timestamp"``, ``"local time"`` (a date in an order that only people understand),
            ``"duration"``, ``"text"`` or ``"blank"``.
        top: The most frequent cells with their counts, up to 200.
        numbers: Share of the filled cells that are plain numbers.
        integers: Whether all numbers are whole.
        lowest, highest: Of the plain numbers.
        next_lowest: The lowest but one.
        middle: Their median, each different number once.
        leading_zeros: Whether numbers are written with zeros in front, as codes are.
        clock: Whether times have a time of day.
        pattern: Of local times: as ``strptime`` reads them.
        sure: Whether day and month of local times are told by the cells.
        length: Mean number of characters.
        lookalikes: Of text with numbers in it: what is written around them.
    """

    name: str
    rows: int
    filled: int
    distinct: int
    form: str
    top: dict[str, int] = field(default_factory=dict)
    numbers: float = 0.0
    integers: bool = False
    lowest: float = 0.0
    highest: float = 0.0
    next_lowest: float = 0.0
    middle: float = 0.0
    leading_zeros: bool = False
    clock: bool = True
    pattern: str | None = None
    sure: bool = True
    length: float = 0.0
    lookalikes: Lookalikes | None = None

    @property
    def unique(self) -> bool:
        """Whether every row has a cell of its own."""
        return self.filled == self.rows == self.distinct and self.rows > 1

    @property
    def is_time(self) -> bool:
        """Whether it holds points in time."""
        return self.form in ("timestamp", "local time")

    @property
    def is_number(self) -> bool:
        """Whether all of it are plain numbers."""
        return self.form == "number"

    @property
    def mostly_numbers(self) -> bool:
        """Whether it holds numbers, some of them perhaps with something around them."""
        return self.form == "number" or (self.lookalikes is not None and self.lookalikes.mostly_numbers)

    @cached_property
    def levels(self) -> dict[str, int]:
        """The cells with their counts, numbers that are equal taken together: ``1`` and ``1.0``; of the 200 most "
        "frequent."""
        counts: dict[str, int] = {}
        for cell, count in self.top.items():
            key = f"{float(cell):.12g}" if self.form == "number" and not self.leading_zeros else cell
            counts[key] = counts.get(key, 0) + count
        return counts

    @cached_property
    def missing_words(self) -> list[str]:
        """Cells that say that there is no value, beside others."""
        return [cell for cell in self.top if is_missing_word(cell) and not _NUMBER.fullmatch(cell)][:8]


def column_facts(name: str, cells: pa.ChunkedArray) -> ColumnFacts:
    """Looks at a column.

    Args:
        name: Its name.
        cells: Its cells as text, null where blank.

    Example:
        >>> facts = column_facts("Aufnahme", pa.chunked_array([["31.01.2020 10:05", None, "01.02.2020 11:00"]]))
        >>> facts.form, facts.pattern, facts.filled
        ('local time', '%d.%m.%Y %H:%M', 2)
    """
    rows, filled = len(cells), len(cells) - cells.null_count
    if not filled:
        return ColumnFacts(name, rows, 0, 0, "blank")
    counted = pc.value_counts(cells.drop_null())
    values, counts = counted.field("values"), counted.field("counts")
    order = pc.array_sort_indices(counts, order="descending")
    first = order[:_LOOKED_AT]
    texts = [str(text) for text in values.take(first).to_pylist()]
    weights = np.asarray(counts.take(first).to_pylist(), float)
    length = float(pc.mean(pc.utf8_length(values)).as_py() or 0.0)
    top = {text[:200]: int(weight) for text, weight in zip(texts[:200], weights)}
    fixed: dict[str, Any] = {"rows": rows, "filled": filled, "distinct": len(values), "top": top, "length": length}

    plain = np.asarray([_NUMBER.fullmatch(text) is not None for text in texts])
    share = float(weights[plain].sum() / weights.sum())
    if share > 0:
        every = pc.drop_null(_as_numbers(values)).to_numpy(zero_copy_only=False)
        every = every[np.isfinite(every)]
        every = np.unique(every) if len(every) else np.zeros(1)
        zeros = any(len(text) > 1 and text[0] == "0" and text.isdigit() for text in texts)
        fixed |= {"numbers": share, "lowest": float(every[0]), "highest": float(every[-1])}
        fixed |= {"next_lowest": float(every[min(1, len(every) - 1)]), "middle": float(np.median(every))}
        fixed |= {"leading_zeros": zeros}
        fixed["integers"] = all(_INTEGER.fullmatch(text) is not None for text, ok in zip(texts, plain) if ok)
    if share == 1.0:
        if len(texts) > 1 and all(_DIGITS.fullmatch(text) for text in texts):
            return ColumnFacts(name, form="local time", pattern="%Y%m%d", clock=False, **fixed)
        return ColumnFacts(name, form="number", **fixed)
    for form, pattern in (("timestamp", ANY_STAMP), ("duration", f"{DURATION}|{HALF_CLOCK}")):
        fits = np.asarray([re.search(pattern, text) is not None for text in texts])
        if weights[fits].sum() >= _MOST_OF * weights.sum():
            bare = all(re.search(DATE_ONLY, text) or text.endswith(" 00:00:00") for text in texts)
            return ColumnFacts(name, form=form, clock=form == "duration" or not bare, **fixed)
    local = [_LOCAL.fullmatch(text) for text in texts]
    if sum(weight for weight, found in zip(weights, local) if found) >= _MOST_OF * weights.sum():
        pattern, sure = _local_pattern([found for found in local if found])
        return ColumnFacts(name, form="local time", pattern=pattern, sure=sure, clock="%H" in pattern, **fixed)
    found = judge_texts(texts, [int(weight) for weight in weights], plain.tolist())
    return ColumnFacts(name, form="text", lookalikes=found, **fixed)


def _as_numbers(values: pa.Array) -> pa.Array:
    plain = pc.match_substring_regex(values, rf"^{_NUMBER.pattern}$")
    return pc.cast(pc.filter(values, plain), pa.float64())


def _local_pattern(found: list[re.Match[str]]) -> tuple[str, bool]:
    """How ``strptime`` reads dates such as 31.01.2020, and whether the cells tell which part is the day."""
    sign, day_first = found[0][2], True
    firsts, seconds = {int(one[1]) for one in found}, {int(one[3]) for one in found}
    sure = max(firsts) > 12 or max(seconds) > 12 or sign == "."
    if max(seconds) > 12 or (max(firsts) <= 12 and sign == "/" and len(seconds) > len(firsts)):
        day_first = False
    date = f"%d{sign}%m" if day_first else f"%m{sign}%d"
    year = "%Y" if len(found[0][4]) == 4 else "%y"
    clock = "" if found[0][5] is None else " %H:%M:%S" if found[0][7] else " %H:%M"
    return f"{date}{sign}{year}{clock}", sure
