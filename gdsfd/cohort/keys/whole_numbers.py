"""Levels and groups that are one whole number, written with a decimal point here and without there (``4.0``, ``4``).

DataFrames and spreadsheets write a column of whole numbers so as soon as one cell is blank; one site's file has the
point then and another's has not. For a category the two are one. Codes, ids and items keep every character: ``250`` and
``250.0`` are different diagnoses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from gdsfd.errors import cell_text

__all__ = ["note_on_points", "without_point"]

_POINT = re.compile(r"([+-]?[0-9]+)\.0*")


def without_point(counts: Mapping[str, int], known: Iterable[str] = ()) -> dict[str, str]:
    """Which keys are another one but for ``.0``, each with that one.

    Args:
        counts: Rows by key.
        known: The fitted keys, which give their names. Two that are fitted stay two.

    Returns:
        Nothing where the keys are all written in one way, with points or without. Where they are not, every whole
        number loses its point, so that a column's names are alike.

    Example:
        >>> without_point({"4": 9, "4.0": 3, "5.0": 1, "04": 1, "4.5": 2, "x.0": 1})
        {'4.0': '4', '5.0': '5'}
        >>> without_point({"4.0": 3, "5.0": 1})
        {}
        >>> without_point({"4": 9, "3": 2}, known=["4.0", "3"])
        {'4': '4.0'}
    """
    own = set(known)
    names = {_form(key): key for key in sorted(own, key=len, reverse=True)}  # of two that are fitted the shorter
    others = [key for key in sorted(counts) if key not in own]
    if not own and len({_form(key) for key in others}) == len(others):
        return {}
    merged = {key: names.get(_form(key), key if own else _form(key)) for key in others}
    return {key: name for key, name in merged.items() if name != key}


def note_on_points(merged: Mapping[str, str], counts: Mapping[str, int], noun: str) -> str:
    """What was taken for one, for the receipt.

    Args:
        merged: As :func:`without_point` gives it; not empty.
        counts: Rows by key.
        noun: What the keys are, in the plural: ``"levels"``.

    Example:
        >>> note_on_points({"4.0": "4"}, {"4": 9, "4.0": 3}, "levels")
        "3 rows differ from other levels in a decimal point and zeros only ('4.0' as '4'): they count as those"
    """
    pairs = [f"{cell_text(key)} as {cell_text(name)}" for key, name in merged.items()]
    more = f" and {len(pairs) - 3} more" if len(pairs) > 3 else ""
    return (
        f"{sum(counts[key] for key in merged):,} rows differ from other {noun} in a decimal point and zeros only "
        f"({', '.join(pairs[:3])}{more}): they count as those"
    )


def _form(key: str) -> str:
    found = _POINT.fullmatch(key)
    return found[1] if found else key
