"""Labels of one outcome column, for tests."""

from __future__ import annotations

from typing import Any

from gdsfd.cohort.patients.outcome import Labels, read_labels
from gdsfd.cohort.schema import OutcomeFields
from gdsfd.cohort.spec import OutcomeSpec

__all__ = ["labels", "read"]


def read(cells: list[str | None], fitted: list[OutcomeFields] | None = None, **fields: Any) -> Labels:
    ids = [f"{k:03d}" for k in range(len(cells))]
    return read_labels([OutcomeSpec(name="d", column="c", **fields)], {"c": cells}, ids, "patient.csv", fitted)


def labels(cells: list[str | None], **fields: Any) -> list[float | None]:
    return [None if value != value else float(value) for value in read(cells, **fields).y.reshape(-1)]
