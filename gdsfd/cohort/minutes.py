"""Times of rows in minutes: from numbers, from ``hh:mm`` text or from timestamps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ibis

from gdsfd.cohort.internal_names import ID, origin_column
from gdsfd.cohort.spec import ModalitySpec
from gdsfd.cohort.values import as_number
from gdsfd.errors import InputError, cell_text, cut_text

__all__ = ["read_minutes"]

_OFFSET = r":[0-9]{2}(\.[0-9]+)? ?[+-][0-9]{2}(:?[0-9]{2})?$"
_CLOCK = r"^[0-9]+:[0-5]?[0-9](:[0-5]?[0-9](\.[0-9]+)?)?$"


def read_minutes(matched: Any, rows: Any, modality: ModalitySpec, fetch: Callable[[Any], Any], label: str) -> Any:
    """An expression for each row's time in minutes since its origin.

    The form is decided once per column, by what its rows (of patients in the cohort) hold: numbers are minutes;
    ``hh:mm`` or ``hh:mm:ss`` is a duration whose hours may exceed 24; anything else must be ISO timestamps, which need
    ``origin``. With ``origin`` numbers are taken relative to the origin's numbers. Timestamps with an offset from UTC
    (``+02:00``) are compared in UTC; their origin must then have one too.

    Args:
        matched: The rows of patients in the cohort, whose times must be readable; with their id.
        rows: The table that the expression is for, with the time and that of its origin.
        modality: The spec's entry.
        fetch: Runs an expression.
        label: The source, for messages.

    Raises:
        InputError: A time of another form than the column's others, or timestamps without an origin.
    """
    column = modality.time or ""
    form = _form(matched[column], matched, modality, fetch, label)
    time = _READ[form](rows[column])
    if modality.origin is None:
        if form == "timestamp":
            raise InputError(
                f"modality {modality.name!r}: column {column!r} of {label} holds timestamps; name the cohort column "
                "they are "
                "counted from under 'origin'"
            )
        return time
    origin_name = origin_column(modality.origin)
    told = f"the cohort (origin {modality.origin!r})"
    origin_form = _form(matched[origin_name], matched, modality, fetch, told, modality.origin)
    if origin_form != form:
        raise InputError(
            f"modality {modality.name!r}: column {column!r} of {label} holds {_WORDS[form]} but its origin "
            f"{modality.origin!r} holds "
            f"{_WORDS[origin_form]}; both must be of one form"
        )
    origin = _READ[form](rows[origin_name])
    if form == "timestamp":
        _check_offsets(matched, column, origin_name, modality, fetch, label)
        return (time.epoch_seconds() - origin.epoch_seconds()).cast("float64") / 60.0
    return time - origin


def _form(
    column: Any, rows: Any, modality: ModalitySpec, fetch: Callable[[Any], Any], label: str, name: str | None = None
) -> str:
    kind = column.type()
    if kind.is_numeric():
        return "number"
    if kind.is_timestamp() or kind.is_date():
        return "timestamp"
    forms = {form: read(column).notnull() for form, read in _READ.items()}
    counted = fetch(
        rows.aggregate(measured=column.count(), **{form: readable.sum() for form, readable in forms.items()})
    ).to_pylist()[0]
    measured = counted["measured"]
    best = max(forms, key=lambda form: counted[form] or 0)
    if measured and (counted[best] or 0) < measured:
        wrong = fetch(
            rows.filter(column.notnull() & ~forms[best].fill_null(False))
            .select(cell=column, patient=rows[ID])
            .distinct()
            .order_by("patient", "cell")
            .limit(5)
        ).to_pylist()
        listed = ", ".join(f"{cell_text(row['cell'])} (id {cut_text(row['patient'])})" for row in wrong)
        count = measured - (counted[best] or 0)
        expected = f"{_WORDS[best]} as in the other rows" if counted[best] else "minutes, hh:mm or ISO timestamps"
        raise InputError(
            f"modality {modality.name!r}: column {name or modality.time!r} of {label} has {count} times that cannot "
            f"be read: {listed}; "
            f"expected {expected}. Correct them or leave them out with where"
        )
    return best


def _check_offsets(
    matched: Any, column: str, origin: str, modality: ModalitySpec, fetch: Callable[[Any], Any], label: str
) -> None:
    """Raises an InputError where either times or origins have an offset from UTC, but not both: hours would be lost."""
    found: dict[str, dict[str, Any]] = {}
    for name in (column, origin):
        cell = matched[name]
        offset = cell.re_search(_OFFSET) if cell.type().is_string() else ibis.literal(False)
        example = fetch(matched.filter(offset).select(cell=cell, patient=matched[ID]).limit(1)).to_pylist()
        if example:
            found[name] = example[0]
    if len(found) == 1:
        have, lacks = (column, origin) if column in found else (origin, column)
        words = {
            column: f"column {column!r} of {label}",
            origin: f"its origin {modality.origin!r} in the cohort",
        }
        raise InputError(
            f"modality {modality.name!r}: {words[have]} holds timestamps with an offset from UTC, "
            f"{cell_text(found[have]['cell'])} (id {cut_text(found[have]['patient'])}), "
            f"and {words[lacks]} holds none with one; write "
            "both with offsets, or both in the same local time without (derive can do so)"
        )


def _clock(column: Any) -> Any:
    parts = column.split(":")
    seconds = ibis.cases((parts.length() > 2, parts[2].try_cast("float64")), else_=0.0)
    minutes = parts[0].try_cast("float64") * 60.0 + parts[1].try_cast("float64") + seconds / 60.0
    return ibis.cases((column.re_search(_CLOCK), minutes))


def _timestamp(column: Any) -> Any:
    if column.type().is_string():
        # The database would leave an offset out of account when it reads text as a timestamp without a zone.
        with_offset = column.try_cast("timestamp('UTC')").cast("timestamp")
        return ibis.cases(
            (column.re_search(_OFFSET), with_offset), (column.contains("-"), column.try_cast("timestamp"))
        )
    return column.cast("timestamp")


_READ: dict[str, Callable[[Any], Any]] = {"number": as_number, "clock": _clock, "timestamp": _timestamp}
_WORDS = {"number": "numbers", "clock": "hh:mm", "timestamp": "timestamps"}
