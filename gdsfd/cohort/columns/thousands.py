"""Points that may stand between thousands in the values of events: ``1.200`` beside ``936`` of one item.

Each cell is given a form on its way (a comparison of a few signs, no pattern), and an item is doubted by the forms that
it has: numbers whose point has three digits behind it, whole ones of up to three digits, and no other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ibis

from gdsfd.cohort.receipt.receipt import Finding
from gdsfd.cohort.sources.sql_text import quoted, string_literal
from gdsfd.cohort.spec import EventsSpec
from gdsfd.errors import cell_text

__all__ = ["find_thousands", "form_of", "form_sql", "forms_by_item", "thousands_doubt"]

#: Forms of a cell: short and whole, whole with three digits, with three digits behind its point, anything else.
_SHORT, _WHOLE, _POINTED, _OTHER = 0, 1, 2, 3
_LISTED = 5  #: items that a warning names


def thousands_doubt(pointed: str, largest: int) -> str:
    """What is odd, for warnings.

    Args:
        pointed: A cell with a point.
        largest: The largest whole number.

    Example:
        >>> thousands_doubt("1.200", 936)[:63]
        "numbers with a point all have three digits behind it ('1.200'),"
    """
    return (
        f"numbers with a point all have three digits behind it ({cell_text(pointed)}), beside whole ones up to "
        f"{largest}: do the points stand between thousands? They were read as decimal points"
    )


def form_of(cell: Any) -> Any:
    """The form of a cell that is a number.

    Args:
        cell: Ibis expression of the text.
    """
    begins = cell.left(1).between("1", "9")
    whole = ~cell.contains(".") & (cell.length() <= 3) & (begins | (cell == "0"))
    pointed = (cell.right(4).left(1) == ".") & begins & (cell.length() <= 7)
    return ibis.cases(
        (whole & (cell.length() == 3), ibis.literal(_WHOLE, "int8")),
        (whole, ibis.literal(_SHORT, "int8")),
        (pointed, ibis.literal(_POINTED, "int8")),
        else_=ibis.literal(_OTHER, "int8"),
    )


def form_sql(cell: str) -> str:
    """:func:`form_of` as SQL of a cell."""
    begins = f"left({cell}, 1) BETWEEN '1' AND '9'"
    whole = f"NOT contains({cell}, '.') AND length({cell}) <= 3 AND ({begins} OR {cell} = '0')"
    return (
        f"CASE WHEN {whole} AND length({cell}) = 3 THEN {_WHOLE} WHEN {whole} THEN {_SHORT} "
        f"WHEN left(right({cell}, 4), 1) = '.' AND {begins} AND length({cell}) <= 7 "
        f"THEN {_POINTED} ELSE {_OTHER} END"
    )


def forms_by_item(table: Any) -> Any:
    """The items whose points are doubted, as an expression.

    Args:
        table: Rows with ``number`` (of the item), ``value`` and ``form``.

    Returns:
        ``number``, ``smallest`` (number with a point) and ``largest`` (whole number) of each such item.
    """
    pointed, whole = table.form == _POINTED, table.form == _WHOLE
    found = table.group_by("number").agg(
        worst=table.form.max(),
        different=ibis.cases((pointed, table.value)).nunique(),
        smallest=ibis.cases((pointed, table.value)).min(),
        largest=ibis.cases((whole, table.value)).max(),
    )
    doubted = found.filter((found.worst < _OTHER) & (found.different > 1) & found.largest.notnull())
    return doubted.select("number", "smallest", "largest").order_by("number")


def find_thousands(modality: EventsSpec, items: Sequence[tuple[str, float, float]]) -> list[Finding]:
    """A warning of items whose points may stand between thousands.

    Args:
        modality: The spec's entry.
        items: Name, smallest number with a point and largest whole number of each.
    """
    if not items:
        return []
    name, smallest, largest = items[0]
    names = [own for own, _, _ in items]
    if modality.values is None:
        listed = ", ".join(map(string_literal, names[:_LISTED]))
        column = quoted(modality.value or "")
        text = quoted(f"{modality.value}__text")
        number = f"CAST(replace({text}, '.', '') AS DOUBLE)"
        read = f"CASE WHEN {quoted(modality.item or '')} IN ({listed}) THEN {number} ELSE {column} END"
    else:
        read = f"CAST(replace({quoted(f'{name}__text')}, '.', '') AS DOUBLE)"
    more = len(names) - 1
    others = f"; so has {more} item more" if more == 1 else f"; so have {more} items more" if more else ""
    told = f"its {thousands_doubt(f'{smallest:.3f}', int(largest))}; if so, derive {read}{others}"
    return [Finding("values", f"{modality.name}.{name}", told, float(len(names)))]
