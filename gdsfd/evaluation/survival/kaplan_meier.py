r"""Kaplan-Meier curves of the event, and of censoring, in many resamples at once.

:math:`S(t) = \prod_{u \le t} (1 - d_u / n_u)` with :math:`d_u` events at *u* among :math:`n_u` at risk. The curve of
censoring, :math:`G`, is the same with the two exchanged; where an event and the end of another's follow-up fall on one
time the event comes first, so those who have it are not at risk of being censored there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["StepCurves", "kaplan_meier"]

Floats = NDArray[np.float64]


class StepCurves:
    """Falling step functions that begin at 1, one per resample.

    Args:
        times: Where they step, ascending; [u].
        values: Their values from each step on; [R, u].
    """

    def __init__(self, times: Floats, values: Floats) -> None:
        self.times = times
        self.values = np.concatenate([np.ones((len(values), 1)), values], axis=1)

    def at(self, t: Floats, before: bool = False) -> Floats:
        """Values at times, or just before them; [R, len(t)]."""
        return self.values[:, np.searchsorted(self.times, t, "left" if before else "right")]


def kaplan_meier(time: Floats, event: Floats, weights: Floats | None = None, censoring: bool = False) -> StepCurves:
    """The curves of some patients.

    Args:
        time: Times of event or end of follow-up; [n].
        event: 1 = event, 0 = censored; [n].
        weights: How often each patient counts in each resample; [R, n]; default: once, in one.
        censoring: Whether censoring is the event.

    Example:
        >>> curve = kaplan_meier(np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 0.0, 1.0, 0.0]))
        >>> curve.at(np.array([0.5, 1.0, 3.5])).tolist()
        [[1.0, 0.75, 0.375]]
    """
    weights = np.ones((1, len(time))) if weights is None else weights
    times, place = np.unique(time, return_inverse=True)

    def per_time(values: Floats) -> Floats:
        order = np.argsort(place, kind="stable")
        starts = np.searchsorted(place[order], np.arange(len(times)))
        if not len(times):
            return np.zeros((len(values), 0))
        return np.asarray(np.add.reduceat(values[:, order], starts, axis=1), dtype=np.float64)

    events, everybody = per_time(weights * event), per_time(weights)
    at_risk = np.cumsum(everybody[:, ::-1], axis=1)[:, ::-1]
    gone = events
    if censoring:
        gone, at_risk = everybody - events, at_risk - events
    share = np.divide(gone, at_risk, out=np.zeros_like(gone), where=at_risk > 0)
    return StepCurves(times, np.cumprod(1 - share, axis=1))
