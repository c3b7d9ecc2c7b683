"""Texts that a spec's SQL compares a column with and that stand in none of its cells: ``unit = 'mg/dl'`` beside mg/dL;
and conditions on a column's text that none of its cells meets: ``unit LIKE 'MG%'``, ``lower(unit) = 'mg/dL'``.

Such a condition is never true, so a conversion of units or a filter does nothing, or everything, in silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import duckdb

from gdsfd.cohort.keys.spellings import differs_in_spelling
from gdsfd.cohort.sources.base_tables import BaseTable
from gdsfd.cohort.sources.database import Database
from gdsfd.cohort.sources.sql_text import cleaned, quoted, string_literal
from gdsfd.cohort.spec.row_expression import RAW_SUFFIX, RowExpression
from gdsfd.cohort.spec.text_conditions import CellTest, Comparison
from gdsfd.errors import cell_text, cut_text, near_names, shown

__all__ = ["AbsentWords"]

_WORDS = 200  #: of one comparison, at most; longer lists are made by programs
_TO_COMPARE = 4  #: characters; shorter texts are near many others
_CELLS = 2000  #: different cells among which near ones are looked for
_TESTED_CELLS = 50_000  #: different cells up to which conditions are tried on all of them


class AbsentWords:
    """Looks for texts that a column is compared with and has not.

    Args:
        database: The database.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self._known: dict[tuple[str, Comparison | CellTest], list[str]] = {}
        self._cells: dict[tuple[str, str], list[str]] = {}

    def told(
        self, base: BaseTable, expressions: Mapping[str, RowExpression], texts: Iterable[str], derived: Iterable[str]
    ) -> list[str]:
        """What is to be said, once for each comparison.

        Args:
            base: The table.
            expressions: The spec's SQL by its field.
            texts: Columns of the table that are compared as text.
            derived: New columns, of which nothing is known; a column of that name is not looked at.
        """
        new = {name.casefold() for name in derived}
        column_of = {name.casefold(): name for name in texts if name.casefold() not in new}
        column_of |= {(name + RAW_SUFFIX).casefold(): name for name in column_of.values()}
        return [
            f"{field}: {text}"
            for field, expression in expressions.items()
            for condition in _conditions(expression)
            if condition.column.casefold() in column_of
            for text in self._of(base, column_of[condition.column.casefold()], condition)
        ]

    def _of(self, base: BaseTable, column: str, condition: Comparison | CellTest) -> list[str]:
        key = (base.name, condition)
        if key not in self._known:
            look = self._try if isinstance(condition, CellTest) else self._look
            self._known[key] = list(look(base, column, condition))  # type: ignore[arg-type]
        return self._known[key]

    def _try(self, base: BaseTable, column: str, test: CellTest) -> Iterator[str]:
        """A condition that excludes may be there to be safe: it is told where only upper and lower case keep it off."""
        cells = self._all_cells(base, column)
        try:
            if not cells or test.held_by(cells):
                return
            near = test.held_by(cells, lower=True) if test.lowered else []
        except duckdb.Error:  # a time that strptime cannot read, say: whoever runs the expression is told
            return
        if near or not test.unequal:
            meant = f" Did you mean {cell_text(near[0])}? Upper and lower case are different there" if near else ""
            yield f"{cut_text(test.words)} is true of none of the cells of column {column!r}.{meant}"

    def _all_cells(self, base: BaseTable, column: str) -> list[str]:
        """The different cells of a column; none where there are very many."""
        key = (base.name, column)
        if key not in self._cells:
            with self.database.reading(base.label):
                rows = self.database.rows(
                    f"SELECT DISTINCT {cleaned(quoted(column))} AS cell FROM {base.name} LIMIT {_TESTED_CELLS + 1}"
                )
            found = sorted(str(cell) for (cell,) in rows if cell is not None)
            self._cells[key] = found if len(rows) <= _TESTED_CELLS else []
        return self._cells[key]

    def _look(self, base: BaseTable, column: str, comparison: Comparison) -> Iterator[str]:
        """An unequal word may be there to be safe, as may one of a list: these are told where a cell is near."""
        cell, words = cleaned(quoted(column)), comparison.words
        if len(words) > _WORDS:
            return
        with self.database.reading(base.label):
            found = self.database.rows(
                f"SELECT {', '.join(f'count(*) FILTER (WHERE cell = {string_literal(word)})' for word in words)} "
                f"FROM (SELECT {cell} AS cell FROM {base.name})"
            )[0]
        absent = [word for word, count in zip(words, found, strict=True) if not count and word.strip()]
        if not absent:
            return
        with self.database.reading(base.label):
            rows = self.database.rows(f"SELECT DISTINCT {cell} AS cell FROM {base.name} LIMIT {_CELLS}")
        cells = sorted(str(cell) for (cell,) in rows if cell is not None)
        near = {word: _near(word, [cell for cell in cells if cell not in words]) for word in absent}
        must_match = not comparison.unequal and len(absent) == len(words)
        told = absent if must_match else [word for word in absent if near[word]]
        if told:
            meant = next((near[word] for word in told if near[word]), "")
            yield (
                f"column {column!r} is compared with {shown(told)}, which stands in none of its cells.{meant} Upper "
                "and lower case are different there"
            )


def _conditions(expression: RowExpression) -> list[Comparison | CellTest]:
    return [*expression.compared, *expression.tested]


def _near(word: str, cells: list[str]) -> str:
    alike = [cell for cell in cells if differs_in_spelling(cell, word)]
    if alike:
        return f" Did you mean {cell_text(alike[0])}?"
    near = near_names(word, cells) if len(word) >= _TO_COMPARE else ""
    return near if "Did you mean" in near else ""
