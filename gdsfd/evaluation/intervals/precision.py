"""Intervals of average precision."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, stdtrit

from gdsfd.evaluation.intervals.effective_size import kish_size
from gdsfd.evaluation.intervals.shares import share_interval

__all__ = ["average_precision_interval"]

Floats = NDArray[np.float64]

#: With positives worth more than this the spread over resamples is used.
RESAMPLED_ABOVE = 30


def average_precision_interval(
    value: float,
    cluster: NDArray[np.int64],
    fewest: int,
    level: float = 0.95,
    resampled: Floats | None = None,
) -> tuple[float, float]:
    """Limits of average precision.

    It is a mean of one precision per positive patient, so with few positives the limits are those of a share of them:
    resampling five positives shows neither the bias of average precision in small samples nor how far it can fall.
    With more positives they lie symmetrically on the logit scale, by the spread over resamples of subjects.

    Args:
        value: The average precision.
        cluster: Number of the subject of each positive patient; [m].
        fewest: Subjects of the rarer class.
        level: Coverage.
        resampled: The figure in resamples of subjects; None: the limits of a share in any case. [R]

    References:
        Boyd, Eng and Page, ECML PKDD (2013), recommend binomial and logit intervals with the number of positives as
        size; exact binomial limits, and the spread over resamples with many positives, are our choice.
    """
    size = kish_size(cluster)
    if resampled is not None and size > RESAMPLED_ABOVE and 0 < value < 1:
        known = resampled[np.isfinite(resampled)]
        spread = float(logit(np.clip(known, 1e-6, 1 - 1e-6)).std(ddof=1)) if len(known) > 1 else 0.0
        if spread > 1e-9:  # of equal figures rounding leaves a spread that is not quite 0
            half = float(stdtrit(fewest - 1, (1 + level) / 2)) * spread
            return float(expit(logit(value) - half)), float(expit(logit(value) + half))
    return share_interval(value, size, level) if size > 0 else (math.nan, math.nan)
