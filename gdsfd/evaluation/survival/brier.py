r"""The Brier score over time, and its integral, with inverse weights of censoring.

At *t* the score is the mean over patients of :math:`(S(t \mid x_i) - 1[T_i > t])^2`. Who was censored before *t* is not
known and counts nothing; the others stand for them with :math:`1 / G(t)` where they outlived *t* and :math:`1 /
G(t_i-)` where they had the event, :math:`G` being the chance to be followed for that long. Where follow-up ends at *t*
itself for all who are left (a study that was closed after a year), they outlived *t*, and stand for the others with
:math:`1 / G(t-)`. The integrated score is its mean over the time from 0 to the horizon.

References:
    Graf et al., "Assessment and comparison of prognostic classification schemes for survival data", Statistics in
    Medicine 1999.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gdsfd.evaluation.survival.kaplan_meier import kaplan_meier

__all__ = ["brier_over_time", "integrated_brier"]

Floats = NDArray[np.float64]


def brier_over_time(
    time: Floats, event: Floats, survival: Floats, times: Floats, weights: Floats | None = None
) -> Floats:
    """The score at each time, in each resample; NaN where nobody is followed that long; [R, times].

    Args:
        time: Times of event or end of follow-up; [n].
        event: 1 = event, 0 = censored; [n].
        survival: Predicted chance to be free of the event; [n, times].
        times: When; [times].
        weights: How often each patient counts in each resample; [R, n]; default: once, in one.

    Example:
        >>> free = np.array([[0.2], [0.9]])
        >>> brier_over_time(np.array([1.0, 3.0]), np.array([1.0, 0.0]), free, np.array([2.0])).round(3).tolist()
        [[0.025]]
    """
    weights = np.ones((1, len(time))) if weights is None else weights
    curve = kaplan_meier(time, event, weights, censoring=True)
    own, there, just_before = curve.at(time, before=True), curve.at(times), curve.at(times, before=True)
    had = np.divide(weights, own, out=np.zeros_like(weights), where=own > 0)
    total = weights.sum(1)
    scores = np.full((len(weights), len(times)), np.nan)
    for column, t in enumerate(times):
        gone, free = (time <= t) & (event == 1), time > t
        loss_gone = had[:, gone] @ survival[gone, column] ** 2
        loss = (1 - survival[:, column]) ** 2
        ends = there[:, column] == 0  # nobody is followed beyond t
        reach = free | ((time == t) & (event == 0))
        loss_free = np.where(ends, weights[:, reach] @ loss[reach], weights[:, free] @ loss[free])
        followed = np.where(ends, just_before[:, column], there[:, column])
        known = (followed > 0) & (total > 0)
        scores[known, column] = (loss_gone + loss_free / np.where(known, followed, 1.0))[known] / total[known]
    return scores


def integrated_brier(scores: Floats, times: Floats) -> Floats:
    """The mean of the score over the time from 0, where it is 0, to the last of the times; [R].

    Args:
        scores: From :func:`brier_over_time`; [R, times].
        times: When, ascending, above 0; [times].
    """
    whole = np.concatenate([np.zeros((len(scores), 1)), scores], axis=1)
    widths = np.diff(np.concatenate([[0.0], times]))
    return np.asarray(((whole[:, 1:] + whole[:, :-1]) / 2) @ widths / times[-1], dtype=np.float64)
