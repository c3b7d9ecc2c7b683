"""Pieces of specs, right and wrong, for the tests of their fields."""

from __future__ import annotations

from typing import Any

from gdsfd.cohort.spec import CohortSpec

BASE: dict[str, Any] = {
    "cohort": {"source": "patient.csv", "id": "stay"},
    "outcome": {"name": "death", "column": "status", "positive": "Expired"},
    "modality": {"name": "labs", "kind": "table", "source": "labs.csv", "id": "stay"},
}


def made(**fields: Any) -> CohortSpec:
    return CohortSpec(**{**BASE, **fields})


EVENTS: dict[str, Any] = {**BASE["modality"], "kind": "events", "item": "i", "time": "t"}


CODES: dict[str, Any] = {**BASE["modality"], "kind": "codes", "code": "c"}


def bounded(value: Any) -> str:
    """A name of a test: Python writes out no number of thousands of digits."""
    return f"{value:.3e}" if isinstance(value, int) and abs(value) < 10**300 else type(value).__name__


NO_NUMBERS: list[Any] = [float("nan"), float("inf"), float("-inf"), 10**400, 10**5000, True, "1e-3", "5", None, [1], {}]
