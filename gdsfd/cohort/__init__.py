"""Exports to cohorts: the spec, ingestion, and the receipt of what was read, kept and dropped.

``build_cohort`` is imported on first use, because Ibis and DuckDB take half a second that a prediction never needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gdsfd.cohort.cohort import Cohort
from gdsfd.cohort.schema import CohortSchema, ModalityFields

if TYPE_CHECKING:
    from gdsfd.cohort.build import build_cohort
    from gdsfd.cohort.spec import CohortSpec, load_spec

__all__ = ["Cohort", "CohortSchema", "CohortSpec", "ModalityFields", "build_cohort", "load_spec"]

_LATE = {"build_cohort": "gdsfd.cohort.build", "CohortSpec": "gdsfd.cohort.spec", "load_spec": "gdsfd.cohort.spec"}


def __getattr__(name: str) -> Any:
    if name in _LATE:
        from importlib import import_module

        return getattr(import_module(_LATE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
