"""Ids that were stored as floats in one file and as text in another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gdsfd.cohort.cohort_table import CohortRows
from gdsfd.cohort.internal_names import ID, PATIENT
from gdsfd.cohort.spec import ModalitySpec
from gdsfd.errors import InputError, cell_text

__all__ = ["check_id_types"]

_FLOAT_TAIL = r"\.0+$"


def check_id_types(
    matched: Any, modality: ModalitySpec, label: str, cohort: CohortRows, fetch: Callable[[Any], Any]
) -> None:
    """Raises an InputError when ids outside the cohort would be inside but for a trailing ``.0``.

    Args:
        matched: The modality's rows beside their patients.
        modality: The spec's entry.
        label: Its source.
        cohort: The patients.
        fetch: Runs an expression.
    """
    unknown = matched.filter(matched[PATIENT].isnull() & matched[ID].notnull()).select(own=matched[ID]).distinct()
    if not any(own.endswith(".0") for own in cohort.id):
        unknown = unknown.filter(unknown.own.endswith(".0"))
    bare = unknown.mutate(bare=unknown.own.re_replace(_FLOAT_TAIL, ""))
    patients = cohort.table.select("id", bare=cohort.table.id.re_replace(_FLOAT_TAIL, ""))
    found = fetch(bare.join(patients, "bare").select("own", "id").order_by("own").limit(5)).to_pylist()
    if found:
        pairs = ", ".join(f"{cell_text(row['own'])} against {cell_text(row['id'])}" for row in found)
        name = modality.id
        raise InputError(
            f"ids of modality {modality.name!r} (column {name!r} of {label}) and of the cohort ({cohort.label}) "
            "differ only "
            f"by a trailing '.0': {pairs}. One of them was stored as a float; export it as integer or text, or "
            "convert it in "
            f'the spec: derive = {{{name} = "CAST({name} AS BIGINT)"}}'
        )
