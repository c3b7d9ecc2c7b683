r"""Concordance of risks with times to an event: Harrell's, and Uno's, which censoring does not shift.

Two patients are comparable where it is known who had the event first: *i* had it at :math:`t_i`, and *j* was followed
for longer (or as long, without it). Concordance is the share of comparable pairs in which *i* has the higher risk;
equal risks count half. Harrell's takes every comparable pair once, so it depends on who was censored; Uno's gives a
pair the weight :math:`1 / G(t_i-)^2` with the chance :math:`G` to be followed for that long, and ends at a time
:math:`\tau` up to which :math:`G` is known.

References:
    Harrell et al., "Evaluating the yield of medical tests", JAMA 1982. Uno et al., "On the C-statistics for evaluating
    overall adequacy of risk prediction procedures with censored survival data", Statistics in Medicine 2011.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gdsfd.evaluation.survival.kaplan_meier import kaplan_meier

__all__ = ["harrell", "uno"]

Floats = NDArray[np.float64]

#: Pairs worked on at a time.
_PAIRS = 4_000_000


def harrell(time: Floats, event: Floats, risk: Floats, weights: Floats | None = None) -> Floats:
    """Harrell's concordance in each resample, NaN where no two patients are comparable; [R].

    Args:
        time: Times of event or end of follow-up; [n].
        event: 1 = event, 0 = censored; [n].
        risk: The higher, the earlier the event; [n].
        weights: How often each patient counts in each resample; [R, n]; default: once, in one.

    Example:
        >>> harrell(np.array([1.0, 2.0, 3.0]), np.array([1.0, 1.0, 0.0]), np.array([3.0, 1.0, 2.0])).round(3).tolist()
        [0.667]
    """
    weights = np.ones((1, len(time))) if weights is None else weights
    return _concordance(time, event == 1, risk, weights, weights)


def uno(time: Floats, event: Floats, risk: Floats, horizon: float, weights: Floats | None = None) -> Floats:
    """Uno's concordance of events up to a horizon, in each resample, censoring estimated anew in each; [R].

    Args:
        time: Times of event or end of follow-up; [n].
        event: 1 = event, 0 = censored; [n].
        risk: The higher, the earlier the event; [n].
        horizon: Later events do not count as such.
        weights: How often each patient counts in each resample; [R, n]; default: once, in one.
    """
    weights = np.ones((1, len(time))) if weights is None else weights
    followed = kaplan_meier(time, event, weights, censoring=True).at(time, before=True)
    share = np.divide(weights, followed**2, out=np.zeros_like(weights), where=followed > 0)
    return _concordance(time, (event == 1) & (time <= horizon), risk, weights, share)


def _concordance(
    time: Floats, first: NDArray[np.bool_], risk: Floats, weights: Floats, weights_first: Floats
) -> Floats:
    """Weighted share of pairs whose first patient, one of ``first``, has the higher risk."""
    happened = np.flatnonzero(first)
    right, total = np.zeros(len(weights)), np.zeros(len(weights))
    step = max(1, _PAIRS // max(1, len(time)))
    for start in range(0, len(happened), step):
        own = happened[start : start + step]
        later = (time[None, :] > time[own, None]) | ((time[None, :] == time[own, None]) & ~first[None, :])
        higher = np.where(risk[own, None] > risk[None, :], 1.0, np.where(risk[own, None] == risk[None, :], 0.5, 0.0))
        right += (weights_first[:, own] * (weights @ (later * higher).T)).sum(1)
        total += (weights_first[:, own] * (weights @ later.astype(np.float64).T)).sum(1)
    return np.divide(right, total, out=np.full(len(weights), np.nan), where=total > 0)
