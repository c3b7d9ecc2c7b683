"""Columns that nobody wants as inputs: running row numbers, copies of the id, of the person, of the site."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.columns.cells import Cells
from gdsfd.cohort.columns.column_choice import ColumnChoice
from gdsfd.cohort.columns.wide_rows import WideRows
from gdsfd.cohort.patients.cohort_rows import CohortRows
from gdsfd.cohort.receipt.receipt import Finding
from gdsfd.errors import shown

__all__ = ["Unwanted", "is_copy", "is_row_number", "known_as_row_number"]

_ROWS = 20  #: rows that values need before a pattern in them is none of chance
_LOOKED_AT, _LEAST = (6, 100), (0.5, 0.9, 0.99)  #: cells looked at before all are; share that a copy has in common
#: What software calls its row numbers, and what people call theirs.
_BY_SOFTWARE = re.compile(
    r"|unnamed:? ?\d*(\.\d+)*(_level_\d+)?|\.{3}\d+|column0|_c0|level_0|index|idx|#|(?-i:X(\.\d+)?)|gdsfd_row|"
    r"row[_. ]?(names?|num(ber)?|nr|no|idx|index|id)|rn",
    re.IGNORECASE,
)
_BY_PEOPLE = re.compile(
    r"row|(?-i:[VX]_?1)|x|(obs|record|rec|line|seq(uence)?|serial|case|sl|sr|s)[_. ]?(num(ber)?|nr|no|id)?\.?|"
    r"no\.?|nr\.?|num|number|n|lfd[_. ]*nr\.?|counter|count(er)?",
    re.IGNORECASE,
)


class Unwanted:
    """Keeps columns out that are taken by default or by a pattern, and tells so; what is named is taken.

    Args:
        rows: The modality's rows.
        choice: The columns.
        cohort: The patients.
    """

    def __init__(self, rows: WideRows, choice: ColumnChoice, cohort: CohortRows) -> None:
        self.rows = rows
        self.choice = choice
        self._known: dict[str, Sequence[str]] = {"the id": cohort.id}
        if cohort.subject != cohort.id:
            self._known["the person"] = cohort.subject
        if cohort.environment is not None:
            self._known["the environment"] = cohort.environment
        self._known |= {f"the group {name!r}": values for name, values in cohort.groups.items()}
        self._counting: list[str] = []

    def is_left_out(self, cells: Cells) -> bool:
        """Whether a column is a row number or a copy that nobody asked for by name."""
        named = cells.name in self.choice.by_name
        if cells.readable.sum() == cells.measured.sum() and is_row_number(cells.name, cells.values, self.rows.position):
            if named:
                self._tell(cells.name, "it is a running number of rows; it was taken, as the spec names it")
            else:
                self._counting.append(cells.name)
            return not named
        original = None if named else is_copy(cells, self._known, self.rows.patient)
        if original is not None:
            self._tell(cells.name, f"it repeats {original} and was left out; name it under columns to take it")
        return original is not None

    def tell(self) -> None:
        """The warnings about what was left out without a look at its cells, or counted."""
        if self.choice.withheld:
            names = shown(self.choice.withheld, 10)
            self._tell(
                "",
                f"{names} stand in the spec as id, subject, environment, group, outcome, split or origin and were left "
                "out; name them under columns to take them",
            )
        if self._counting:
            names = shown(self._counting, 10)
            self._tell("", f"{names} number the rows and were left out; name them under columns to take them")

    def _tell(self, column: str, text: str) -> None:
        name = self.rows.rows.modality.name
        self.rows.rows.findings.append(Finding("columns", f"{name}.{column}" if column else name, text))


def known_as_row_number(name: str) -> bool:
    """Whether software calls its row numbers so.

    Example:
        >>> known_as_row_number("Unnamed: 0"), known_as_row_number("heart_rate")
        (True, False)
    """
    return _BY_SOFTWARE.fullmatch(name.strip()) is not None


def is_row_number(name: str, values: NDArray[np.float64], position: NDArray[np.int64]) -> bool:
    """Whether a column counts the rows of its file.

    That is so where the values go up (or down) by one from row to row; where they are all different and are the whole
    numbers of a range without a gap, in any order; and, in a column of a telling name, where they are different whole
    numbers (``index``), or such that go up (``no``).

    Args:
        name: The column.
        values: Its values, NaN = not measured; [R].
        position: Positions of the rows in the source; int64 [R].
    """
    measured = ~np.isnan(values)
    found, at = values[measured], position[measured]
    if len(found) < 2 or not np.all(found == np.round(found)) or np.abs(found).max() > 2.0**53:
        return False
    by_software = known_as_row_number(name)
    if len(found) < (2 if by_software else _ROWS):
        return False
    forth, back = found - at, found + at
    if forth.min() == forth.max() or back.min() == back.max():
        return True
    if len(np.unique(found)) < len(found):
        return False
    if found.max() - found.min() + 1 == len(found) or by_software:
        return True
    return _BY_PEOPLE.fullmatch(name.strip()) is not None and bool(np.all(np.diff(found[np.argsort(at)]) > 0))


def is_copy(cells: Cells, others: Mapping[str, Sequence[str]], patient: NDArray[np.int64]) -> str | None:
    """What a column is a copy of, or None.

    Args:
        cells: The column.
        others: Texts of all patients, by what they are: ``"the id"``; [N] each.
        patient: Row of the cohort of each cell; int64 [R].
    """
    measured = np.flatnonzero(cells.measured)
    if len(measured) < _ROWS or cells.kind not in ("text", "number"):
        return None
    text = _reader(cells)
    for what, texts in others.items():
        # Nearly all columns are told apart by a handful of cells.
        samples = [measured[:: max(1, len(measured) // count)] for count in _LOOKED_AT]
        if all(_share(text, texts, patient, rows) >= least for rows, least in zip([*samples, measured], _LEAST)):
            return what
    return None


def _share(
    text: Callable[[int], str], texts: Sequence[str], patient: NDArray[np.int64], rows: NDArray[np.int64]
) -> float:
    same = sum(_plain(text(row)) == _plain(texts[patient[row]]) for row in rows.tolist())
    return same / len(rows)


def _reader(cells: Cells) -> Callable[[int], str]:
    if cells.kind == "text":
        raw = cells.raw
        return lambda row: str(raw[row].as_py())  # type: ignore[index]
    number = cells.number
    return lambda row: f"{number[row]:.0f}" if number[row].is_integer() else str(number[row])


def _plain(text: str) -> str:
    """A text without blanks, case, leading zeros and a trailing ``.0``."""
    text = re.sub(r"\.0+$", "", text.strip().casefold())
    return text.lstrip("0") or text
