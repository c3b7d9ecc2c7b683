"""A small cohort with a time to an event, whose hazards are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gdsfd.cohort.spec import CohortSpec

__all__ = ["survival_frames", "survival_spec"]


def survival_frames(
    patients: int = 400, seed: int = 0, censoring: float = 0.4, strength: float = 1.0
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Cohort, two modalities (the second of two thirds of the patients).

    Times are exponential with the log-hazard ``log(0.01) + strength * (x0 - x1 + z0)``; censoring is independent of
    all else, exponential too, with about the share asked for.
    """
    random = np.random.default_rng(seed)
    x, z = random.normal(size=(patients, 3)), random.normal(size=(patients, 2))
    log_hazard = np.log(0.01) + strength * (x[:, 0] - x[:, 1] + z[:, 0])
    time = random.exponential(1 / np.exp(log_hazard))
    end = np.full(patients, np.inf)
    if censoring:
        rates = np.geomspace(1e-5, 1e2, 200)
        shares = [1 - np.mean(np.exp(log_hazard) / (np.exp(log_hazard) + rate)) for rate in rates]
        end = random.exponential(1 / rates[int(np.argmin(np.abs(np.array(shares) - censoring)))], patients)
    ids = [f"p{number}" for number in range(patients)]
    cohort = pd.DataFrame(
        {
            "id": ids,
            "days": np.minimum(time, end),
            "died": (time <= end).astype(int),
            "site": random.choice(["A", "B"], patients),
            "log_hazard": log_hazard,
        }
    )
    there = random.random(patients) < 2 / 3
    labs = pd.DataFrame({"id": ids, "x0": x[:, 0], "x1": x[:, 1], "x2": x[:, 2]})
    vitals = pd.DataFrame({"id": ids, "z0": z[:, 0], "z1": z[:, 1]})[there]
    return cohort, labs, vitals


def survival_spec(
    frames: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame], folder: Path | None = None, **outcome: Any
) -> CohortSpec:
    """The spec of these frames."""
    cohort, labs, vitals = frames
    return CohortSpec(
        cohort={"source": cohort, "id": "id", "environment": "site"},
        outcome={"name": "death", "kind": "survival", "time": "days", "event": "died", "unit": "days", **outcome},
        modality=[
            {"name": "labs", "kind": "table", "source": labs, "id": "id"},
            {"name": "vitals", "kind": "table", "source": vitals, "id": "id"},
        ],
    )
