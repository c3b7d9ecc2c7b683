r"""Intervals of the area under the ROC curve that stay honest with five positives and with perfect ranking.

Two methods fail in different places. The variance of DeLong et al. is estimated from the ranks and is 0 where every
positive lies above every negative; Newcombe's interval assumes how scores are spread and is short where the positives
are more mixed than that. We take the wider end of the two on each side (our choice; simulated in
``benchmarks/interval_coverage.py``).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtri, stdtrit

from gdsfd.evaluation.intervals.effective_size import kish_size, subjects_of, sums_by_subject

__all__ = ["auroc_interval", "delong_error", "newcombe_interval"]

Floats = NDArray[np.float64]


def auroc_interval(y: Floats, p: Floats, cluster: NDArray[np.int64], level: float = 0.95) -> tuple[float, float]:
    """The wider of Newcombe's interval and DeLong's on the logit scale, end by end.

    Args:
        y: Labels, 0 or 1, both there; [n].
        p: Scores; [n].
        cluster: Number of each patient's subject; [n].
        level: Coverage.
    """
    positive = y == 1
    area, error = delong_error(y, p, cluster)
    sizes = kish_size(cluster[positive]), kish_size(cluster[~positive])
    low, high = newcombe_interval(area, *sizes, level)
    fewest = min(subjects_of(cluster[positive]), subjects_of(cluster[~positive]))
    if fewest > 1 and 0 < area < 1 and error > 0:
        half = float(stdtrit(fewest - 1, (1 + level) / 2)) * error / (area * (1 - area))
        low, high = min(low, float(expit(logit(area) - half))), max(high, float(expit(logit(area) + half)))
    return low, high


def delong_error(y: Floats, p: Floats, cluster: NDArray[np.int64]) -> tuple[float, float]:
    r"""The area and its standard error, summed by subject.

    With :math:`V_i` the share of negatives below positive i and :math:`W_j` that of positives above negative j (ties
    half), :math:`m, n` positives and negatives and G subjects,

    .. math:: \frac{G}{G-1} \sum_s \Bigl( \sum_{i \in s} \frac{V_i - A}{m} + \sum_{j \in s} \frac{W_j - A}{n} \Bigr)^2

    Args:
        y: Labels, 0 or 1, both there; [n].
        p: Scores; [n].
        cluster: Number of each patient's subject; [n].

    References:
        DeLong, DeLong and Clarke-Pearson, Biometrics (1988); Obuchowski, Biometrics (1997) for the sums by subject.
    """
    positive = y == 1
    up, down = p[positive], p[~positive]
    above, below = _share_below(up, down), 1 - _share_below(down, up)
    area = float(above.mean())
    parts = np.empty(len(y))
    parts[positive], parts[~positive] = (above - area) / len(up), (below - area) / len(down)
    by_subject = sums_by_subject(parts, cluster)
    subjects = len(by_subject)
    return area, math.sqrt(float(by_subject @ by_subject) * subjects / max(1, subjects - 1))


def _share_below(scores: Floats, others: Floats) -> Floats:
    """Share of others that lies below each score, those that are equal counted half; as many as ``scores``."""
    ordered = np.sort(others)
    places = np.searchsorted(ordered, scores, "left") + np.searchsorted(ordered, scores, "right")
    return places / 2 / len(others)


def newcombe_interval(area: float, positives: float, negatives: float, level: float = 0.95) -> tuple[float, float]:
    r"""Newcombe's method 5: the areas :math:`\theta` that the observed one does not contradict.

    The limits solve :math:`|A - \theta| = z \sqrt{V(\theta)}` with

    .. math:: V(\theta) = \frac{\theta (1 - \theta)}{mn} \Bigl[ 1 + \Bigl( \frac{m + n}{2} - 1 \Bigr)
              \Bigl( \frac{1 - \theta}{2 - \theta} + \frac{\theta}{1 + \theta} \Bigr) \Bigr]

    so that an observed 1 still has a lower limit below 1.

    Args:
        area: The observed area A.
        positives: m, or what the positives are worth.
        negatives: n, likewise.
        level: Coverage.

    References:
        Newcombe, Statistics in Medicine 25 (2006), part 2, method 5.
    """
    z = float(ndtri((1 + level) / 2))
    middle = max(0.0, (positives + negatives) / 2 - 1)

    def contradicts(theta: float) -> bool:
        spread = 1 + middle * ((1 - theta) / (2 - theta) + theta / (1 + theta))
        return abs(area - theta) > z * math.sqrt(theta * (1 - theta) * spread / (positives * negatives))

    return _limit(contradicts, area, 0.0), _limit(contradicts, area, 1.0)


def _limit(contradicts, inside: float, outside: float) -> float:  # type: ignore[no-untyped-def]
    """Bisection between the estimate and the end of the scale."""
    if inside == outside:
        return outside
    for _ in range(60):
        middle = (inside + outside) / 2
        inside, outside = (inside, middle) if contradicts(middle) else (middle, outside)
    return (inside + outside) / 2
