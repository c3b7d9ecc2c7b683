"""A small cohort as DataFrames, and a spec over it, for the tests of ingestion."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from gdsfd.cohort.spec import CohortSpec

PATIENTS = 40


def patients(count: int = PATIENTS) -> pd.DataFrame:
    """One row per patient: ids with leading zeros, two patients per person, a binary and a three-class label."""
    row = np.arange(count)
    return pd.DataFrame(
        {
            "pid": [f"{k:03d}" for k in row],
            "person": [f"p{k // 2}" for k in row],
            "site": np.where(row % 4 == 0, "north", "south"),
            "sex": np.where(row % 3 == 0, "F", "M"),
            "died": np.where(row // 2 % 3 == 0, "yes", "no"),
            "stage": np.array(["CN", "MCI", "AD"])[row // 2 % 3],
            "admitted": pd.Timestamp("2150-01-01") + pd.to_timedelta(row, unit="D"),
        }
    ).astype({"admitted": str})


def labs(count: int = PATIENTS) -> pd.DataFrame:
    """One row per patient: numbers, a category, a sentinel."""
    row = np.arange(count)
    return pd.DataFrame(
        {
            "pid": [f"{k:03d}" for k in row],
            "wbc": np.where(row % 5 == 0, "-1", (row / 2).astype(str)),
            "unit": np.where(row % 2 == 0, "ICU", "ward"),
        }
    )


def events(count: int = PATIENTS, rows: int = 2000, seed: int = 0) -> pd.DataFrame:
    """Long form events of five items over two days, the fifth rare."""
    random = np.random.default_rng(seed)
    item = random.choice(["hr", "map", "temp", "k", "rare"], rows, p=[0.4, 0.3, 0.2, 0.099, 0.001])
    return pd.DataFrame(
        {
            "pid": [f"{k:03d}" for k in random.integers(0, count, rows)],
            "minute": random.integers(-60, 2880, rows),
            "item": item,
            "value": np.round(random.normal(80, 10, rows), 3),
        }
    )


def spec(modality: Any = None, **fields: Any) -> CohortSpec:
    """A spec over :func:`patients` and, unless told otherwise, one table modality over :func:`labs`.

    Args:
        modality: Modalities instead of the table.
        fields: ``cohort``, ``outcome`` and ``split`` entries to change.
    """
    cohort = {"source": patients(), "id": "pid", "subject": "person", **fields.pop("cohort", {})}
    outcome = fields.pop("outcome", {"name": "death", "column": "died", "positive": "yes", "negative": "no"})
    table = {"name": "labs", "kind": "table", "source": labs(), "id": "pid", "missing": [-1], "min_level_count": 1}
    return CohortSpec(cohort=cohort, outcome=outcome, modality=modality or table, **fields)
