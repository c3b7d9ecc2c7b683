"""Numbers and words for "not measured": those that the spec declares and no cell has, and those that nobody declared.

A spec with ``missing = [-9]`` for an export that writes -99 reads every -99 as a measured number, and so does one that
declares nothing. Both are told, as either may be meant.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.keys.spellings import parse_scalar
from gdsfd.cohort.receipt.receipt import Finding
from gdsfd.cohort.sources.values import as_text, is_declared_missing
from gdsfd.errors import cell_text, shown

__all__ = ["CodedItem", "DeclaredMissing", "coded", "coded_column", "coded_items", "find_coded", "held", "held_in_rows"]

_HIGH = tuple(float(f"{digit}" * length) for digit in "789" for length in range(1, 7))  #: 9, 99, 999, ..., 888, 777
_SMALL = (-1.0, -4.0)  #: which are values more often than the others
#: Numbers that exports write where nothing was measured.
CODES = (*_SMALL, *(-code for code in _HIGH), *_HIGH)
_FEWEST = 3  #: cells with such a number
_LISTED = 5  #: columns or items that a warning names


@dataclass(frozen=True)
class CodedItem:
    """A column or an item with numbers that may stand for "not measured".

    Args:
        name: Its name.
        cells: How many cells have each such number.
        least: The least of its other numbers.
        most: The largest of them.
    """

    name: str
    cells: Mapping[float, int]
    least: float
    most: float


def coded(name: str, codes: Mapping[float, int], least: float, most: float, whole: bool) -> CodedItem | None:
    """A column's numbers that stand apart from its others and are written for "not measured": -99 beside 0 to 40.

    A negative one is, where all others are zero or above (-1 and -4 only beside others up to 2 or more, so not -1
    beside 0 and 1); 9, 99, 888 and the like are, where they are at least twice the largest of the others; 7, 8 and 9
    beside whole numbers only.

    Args:
        name: The column.
        codes: How many cells have each of :data:`CODES`.
        least: The least of the other numbers.
        most: The largest of them.
        whole: Whether all of the others are whole.

    Example:
        >>> coded("crp", {-99.0: 12, 9.0: 1}, 0.5, 240.0, whole=False).cells
        {-99.0: 12}
        >>> coded("smoker", {9.0: 40}, 0, 2, whole=True).cells
        {9.0: 40}
        >>> coded("base excess", {-9.0: 4}, -12.5, 10, whole=False) is None
        True
    """
    if not least < most:
        return None
    found = {
        code: count for code, count in sorted(codes.items()) if code < 0 <= least and (code not in _SMALL or most >= 2)
    }
    high = {code: count for code, count in sorted(codes.items()) if code > most}
    if high and min(high) >= 2 * most and (whole or min(high) > 9):
        found |= high
    return CodedItem(name, found, least, most) if sum(found.values()) >= _FEWEST else None


def coded_column(name: str, values: NDArray[np.float64]) -> CodedItem | None:
    """:func:`coded` of a column's measured numbers, NaN elsewhere; [R]."""
    there = values[~np.isnan(values)]
    is_code = np.isin(there, CODES)
    others = there[~is_code]
    if not is_code.any() or not len(others):
        return None
    codes, counts = np.unique(there[is_code], return_counts=True)
    whole = bool((others == np.floor(others)).all())
    return coded(name, dict(zip(codes.tolist(), counts.tolist())), float(others.min()), float(others.max()), whole)


def coded_items(table: Any, names: Sequence[str], fetch: Any) -> list[CodedItem]:
    """:func:`coded` of every item of events.

    Args:
        table: Ibis expression of the events: ``number`` (of the item), ``value``.
        names: The items by number.
        fetch: Runs an expression and gives Arrow.
    """
    is_code = table.value.isin(CODES)
    counted = fetch(table.filter(is_code).group_by("number", "value").agg(cells=table.value.count())).to_pylist()
    if not counted:
        return []
    others = table.filter(~is_code)
    broken = ibis.cases((others.value % 1 == 0, 0), else_=1)  # floor would be an int64, too small for 1e19
    ranges = fetch(
        others.group_by("number").agg(least=others.value.min(), most=others.value.max(), broken=broken.max())
    ).to_pylist()
    codes: dict[int, dict[float, int]] = {}
    for row in counted:
        codes.setdefault(row["number"], {})[float(row["value"])] = int(row["cells"])
    judged = (
        coded(names[row["number"]], codes[row["number"]], float(row["least"]), float(row["most"]), not row["broken"])
        for row in sorted(ranges, key=lambda row: row["number"])
        if row["number"] in codes
    )
    return [item for item in judged if item is not None]


def find_coded(modality: str, items: Sequence[CodedItem], noun: str) -> list[Finding]:
    """One warning of all columns or items whose numbers may stand for "not measured".

    Args:
        modality: The modality's name.
        items: What :func:`coded` found.
        noun: What they are: ``"column"`` or ``"item"``.
    """
    if not items:
        return []
    told = [
        f"{cell_text(item.name)} ("
        + ", ".join(f"{code:g} in {count:,} cells" for code, count in item.cells.items())
        + f"; the others are {item.least:g} to {item.most:g})"
        for item in items[:_LISTED]
    ]
    more = len(items) - len(told)
    others = f" and {more:,} more {noun}s" if more else ""
    codes = sorted({code for item in items for code in item.cells})
    declare = ", ".join(f"{code:g}" for code in codes[:_LISTED])
    text = (
        f"numbers that stand apart, as codes for 'not measured' do, were read as measured values of {', '.join(told)}"
        f"{others}. If they are codes, declare missing = [{declare}], or make them blank with derive where other "
        f"{noun}s have them as values"
    )
    return [Finding("missing", modality, text, float(sum(sum(item.cells.values()) for item in items)))]


def held(missing: Iterable[object], cells: Iterable[str]) -> set[str]:
    """Which declared values are among some cells, as text or as numbers.

    Args:
        missing: The declared values.
        cells: Different cells as text.

    Example:
        >>> sorted(held([-9, "NA", -99], ["-9.0", "NA", "5"]))
        ['-9', 'NA']
    """
    written = set(cells)
    numbers = {number for number in map(parse_scalar, written) if number is not None}
    return {str(value).strip() for value in missing if str(value).strip() in written or parse_scalar(value) in numbers}


def held_in_rows(table: Any, column: str, missing: Sequence[object], dropped: int, fetch: Any) -> set[str]:
    """:func:`held` of a column of rows, which are looked at only where the rows dropped leave it open.

    Args:
        table: Ibis expression of the rows before those are dropped.
        column: The column.
        missing: The declared values.
        dropped: How many rows are dropped because of them.
        fetch: Runs an expression and gives Arrow.
    """
    if not dropped or len({str(value).strip() for value in missing}) == 1:
        return {str(value).strip() for value in missing} if dropped else set()
    cell = table[column]
    found = fetch(table.filter(is_declared_missing(cell, missing)).select(cell=as_text(cell)).distinct())
    return held(missing, [str(text) for text in found["cell"].to_pylist()])


class DeclaredMissing:
    """The values that a spec declares missing, and which of them stand in a cell of a modality that declares them.

    One export has one code, and a spec may declare it of every modality: it is told where none of them has it.
    """

    def __init__(self) -> None:
        self._modalities: dict[str, list[str]] = {}
        self._seen: set[str] = set()

    def note(self, modality: str, missing: Sequence[object], seen: Collection[str]) -> None:
        """Takes what one modality declares.

        Args:
            modality: Its name.
            missing: The declared values; a blank says nothing, as blank cells are missing anyway.
            seen: Those that a cell has, as :func:`held` gives them.
        """
        self._seen.update(map(_plain, seen))
        for value in dict.fromkeys(map(_plain, missing)):
            if value:
                self._modalities.setdefault(value, []).append(modality)

    def findings(self) -> list[Finding]:
        """A warning for each set of modalities whose declared values no cell has."""
        absent: dict[tuple[str, ...], list[str]] = {}
        for value, modalities in self._modalities.items():
            if value not in self._seen:
                absent.setdefault(tuple(modalities), []).append(value)
        return [
            Finding(
                "missing",
                ", ".join(modalities[:_LISTED]) + (", ..." if len(modalities) > _LISTED else ""),
                f"missing lists {shown(values)}, which no cell of these patients has. If the export writes another "
                "value for 'not measured', its cells were read as measured: look at the least and the largest values",
                float(len(values)),
            )
            for modalities, values in absent.items()
        ]


def _plain(value: object) -> str:
    """A declared value as text; numbers in one spelling, as ``-9`` and ``"-9.0"`` are one."""
    number = parse_scalar(value)
    return str(value).strip() if number is None else f"{number:.17g}"
