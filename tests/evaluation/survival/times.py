"""Random times, some tied, with censoring, and risks that know something of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["censored_times"]

Floats = NDArray[np.float64]


def censored_times(
    patients: int, seed: int = 0, tied: bool = False, censoring: float = 0.05
) -> tuple[Floats, Floats, Floats]:
    """Times, events and risks; exponential times whose log-hazard is the risk's."""
    random = np.random.default_rng(seed)
    risk = random.normal(size=patients)
    time = random.exponential(10 / np.exp(risk))
    end = random.exponential(1 / censoring, patients) if censoring else np.full(patients, np.inf)
    event = (time <= end).astype(float)
    time = np.minimum(time, end)
    if tied:
        time, risk = np.ceil(time / 3), risk.round(0)
    return time, event, risk
