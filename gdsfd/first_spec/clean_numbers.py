"""Numbers with something around them that can be taken off without a doubt: a comma for the point, a sign, one unit."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gdsfd.cohort.columns.number_lookalikes import is_missing_word
from gdsfd.first_spec.column_facts import ColumnFacts
from gdsfd.first_spec.sql_names import sql_name

__all__ = ["CleanNumber", "clean_number"]

_PLAIN = r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
_COMMA = r"[+-]?\d+(?:,\d+)?(?:[eE][+-]?\d+)?"
_SIGN = r"[<>]=? ?"
_UNIT = re.compile(rf"({_PLAIN}) ?([^\d\s.,<>=+-][^\d.,<>=]*)")


@dataclass(frozen=True)
class CleanNumber:
    """How a column is read as numbers.

    Args:
        sql: The expression.
        what: What is taken off, in words.
        example: A cell with it.
    """

    sql: str
    what: str
    example: str


def clean_number(facts: ColumnFacts) -> CleanNumber | None:
    """How to read a column of text as numbers, None where it is numbers already or is not plain.

    Only where all cells looked at are of one form; words for "no "
    "value" become blank. What else is written around numbers
    (ranges, separators of thousands, several units) is a question for people.

    Args:
        facts: The column.

    Example:
        >>> import pyarrow as pa
        >>> from gdsfd.first_spec.column_facts import column_facts
        >>> clean_number(column_facts("Messwert", pa.chunked_array([["1,5", "2", "0,75", "12,25"]]))).sql
        "TRY_CAST(replace(Messwert__text, ',', '.') AS DOUBLE)"
        >>> clean_number(column_facts("n", pa.chunked_array([["1,200", "2,500", "3,100"]]))) is None
        True
    """
    if facts.form != "text":
        return None
    words = [cell for cell in facts.top if is_missing_word(cell)]
    cells = [cell for cell in facts.top if cell not in words]
    odd = [cell for cell in cells if not re.fullmatch(_PLAIN, cell)]
    if not odd or len(cells) < 2:
        return None
    name = sql_name(facts.name)
    text = name if facts.numbers == 0 else sql_name(f"{facts.name}__text")
    if all(re.fullmatch(_COMMA, cell) for cell in cells) and not _may_be_thousands(odd):
        return CleanNumber(f"TRY_CAST(replace({text}, ',', '.') AS DOUBLE)", "a comma for the point", odd[0])
    if all(re.fullmatch(f"(?:{_SIGN})?(?:{_PLAIN})", cell) for cell in cells):
        return CleanNumber(
            f"TRY_CAST(ltrim({text}, '<>= ') AS DOUBLE)", "its sign taken off: the end of a range", odd[0]
        )
    units = {found[2].strip() for cell in odd if (found := _UNIT.fullmatch(cell))}
    if len(units) == 1 and all(_UNIT.fullmatch(cell) for cell in odd) and len(odd) > 0.5 * len(cells):
        unit = next(iter(units)).replace("'", "''")
        return CleanNumber(f"TRY_CAST(trim(replace({text}, '{unit}', '')) AS DOUBLE)", "its unit taken off", odd[0])
    return None


def _may_be_thousands(cells: list[str]) -> bool:
    """Whether every comma has three digits after it, so that 1,200 may be a thousand and two hundred."""
    return all(re.fullmatch(r"[+-]?[1-9]\d{0,2},\d{3}", cell) for cell in cells)
