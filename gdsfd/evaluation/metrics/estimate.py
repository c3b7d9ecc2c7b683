"""A figure with its interval, or the reason why there is none."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Estimate", "percentile_interval"]


@dataclass(frozen=True)
class Estimate:
    """One figure.

    A figure that cannot be given is NaN with a reason, never 0.

    Args:
        value: The figure, NaN where it is undefined.
        low: Lower end of the interval, NaN where there is none.
        high: Upper end of the interval.
        reason: Why the figure (or only its interval) is missing; empty when all is there.
    """

    value: float
    low: float = math.nan
    high: float = math.nan
    reason: str = ""

    @classmethod
    def undefined(cls, reason: str) -> Estimate:
        """No figure, and why."""
        return cls(math.nan, reason=reason)

    @property
    def defined(self) -> bool:
        """Whether there is a figure."""
        return math.isfinite(self.value)

    @property
    def has_interval(self) -> bool:
        """Whether there is an interval."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    def to_dict(self) -> dict[str, Any]:
        """A plain dict; NaN stays NaN (the JSON writer turns it into null)."""
        return {"value": self.value, "low": self.low, "high": self.high, "reason": self.reason}


def percentile_interval(resampled: NDArray[np.float64], level: float = 0.95) -> tuple[float, float]:
    """Percentile bootstrap interval, leaving out resamples in which the figure was undefined.

    Args:
        resampled: The figure in each resample, NaN where undefined; [R].
        level: Coverage.

    Returns:
        The two ends; NaN when fewer than half of the resamples (or fewer than 20) have a figure.
    """
    finite = resampled[np.isfinite(resampled)]
    if finite.size < max(20, resampled.size / 2):
        return math.nan, math.nan
    tail = (1 - level) / 2
    low, high = np.quantile(finite, [tail, 1 - tail])
    return float(low), float(high)
