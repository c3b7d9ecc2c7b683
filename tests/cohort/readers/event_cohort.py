"""A cohort of one modality of events, for the tests of this folder."""

from __future__ import annotations

from typing import Any

import pandas as pd

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.cohort import Cohort, EventObservations
from tests.cohort.small_exports import PATIENTS, patients, spec


def built(
    frame: pd.DataFrame, like: Any = None, rows: int = PATIENTS, **fields: Any
) -> tuple[Cohort, EventObservations]:
    """The cohort and its events ``m``, from a frame in the long form unless ``values`` names columns."""
    entry: dict[str, Any] = {"name": "m", "kind": "events", "source": frame, "id": "pid"}
    if "values" not in fields:
        entry |= {"item": "item", "value": "value"}
    cohort = build_cohort(spec({**entry, **fields}, cohort={"source": patients(rows)}), like=like)
    observed = cohort.observations["m"]
    assert isinstance(observed, EventObservations)
    return cohort, observed
