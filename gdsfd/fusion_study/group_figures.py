r"""AUROC, TPR and FPR of groups of patients under many labellings or many weightings at once.

Permuting who belongs to which group, and drawing subjects again, both leave scores and outcomes where they are; one
sort of the scores serves them all. Of a group g with weights w (0 outside of it), and :math:`C(s)` the weight of its
negatives with a score below s (those at s count half),

.. math:: \mathrm{AUROC}_g = \frac{\sum_{i: y_i = 1} w_i C(p_i)}{\sum_{y_i = 1} w_i \sum_{y_j = 0} w_j}

:func:`gdsfd.evaluation.metrics.ranking.weighted_ranking` gives the same and average precision beside it, at ten times
the cost.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["FIGURES", "figures_of_groups", "weighted_auroc"]

Floats = NDArray[np.float64]

#: What gaps are taken of.
FIGURES = ("auroc", "tpr", "fpr")
#: Numbers worked on at a time (32 MiB as float64).
CHUNK = 4_000_000


def weighted_auroc(y: Floats, p: Floats, weights: NDArray[Any]) -> Floats:
    """AUROC under many sets of weights; ties count half.

    Args:
        y: Labels, 0 or 1; [n].
        p: Scores; [n].
        weights: One row per set, numbers or booleans; [r, n].

    Returns:
        NaN where a class has no weight; [r].

    Example:
        >>> y, p = np.array([0.0, 1.0, 1.0]), np.array([0.1, 0.1, 0.9])
        >>> weighted_auroc(y, p, np.array([[1, 1, 1], [1, 0, 1], [0, 1, 1]])).tolist()
        [0.75, 1.0, nan]
    """
    positive, negative = np.flatnonzero(y == 1), np.flatnonzero(y == 0)
    negative = negative[np.argsort(p[negative], kind="stable")]
    first = np.searchsorted(p[negative], p[positive], "left")
    after = np.searchsorted(p[negative], p[positive], "right")
    found = np.full(len(weights), np.nan)
    size = max(1, CHUNK // max(1, len(y)))
    for start in range(0, len(weights), size):
        own = weights[start : start + size]
        below = np.zeros((len(own), len(negative) + 1))
        np.cumsum(own[:, negative], axis=1, out=below[:, 1:])
        ups = own[:, positive].astype(np.float64)
        won = np.einsum("rp,rp->r", ups, below[:, first] + below[:, after]) / 2
        pairs = ups.sum(1) * below[:, -1]
        np.divide(won, pairs, out=found[start : start + size], where=pairs > 0)
    return found


def figures_of_groups(
    y: Floats,
    p: Floats,
    threshold: float,
    codes: NDArray[Any],
    groups: int,
    weights: NDArray[Any] | None = None,
) -> Floats:
    """AUROC, TPR and FPR of every group.

    Args:
        y: Labels, 0 or 1; [n].
        p: Scores; [n].
        threshold: Patients at or above it are flagged; NaN gives no TPR and FPR.
        codes: Group of each patient, one row per labelling (or a single row); others than 0 .. groups - 1 are in no
            group; [r, n] or [1, n].
        groups: Number of groups G.
        weights: Weight of each patient, one row per weighting (or a single row); default: 1; [r, n] or [1, n].

    Returns:
        In the order of :data:`FIGURES`, NaN where a group lacks a class; [3, r, G].
    """
    rows = max(len(codes), 1 if weights is None else len(weights))
    found = np.full((len(FIGURES), rows, groups), np.nan)
    flagged = np.full(len(p), np.nan) if np.isnan(threshold) else (p >= threshold).astype(np.float64)
    classes = [np.flatnonzero(y == 1), np.flatnonzero(y == 0)]
    size = max(1, CHUNK // max(1, len(y)))
    for start in range(0, rows, size):
        chosen = slice(start, min(start + size, rows))
        labels = codes if len(codes) == 1 else codes[chosen]
        for group in range(groups):
            own: NDArray[Any] = labels == group
            if weights is not None:
                own = own * (weights if len(weights) == 1 else weights[chosen])
            found[0, chosen, group] = weighted_auroc(y, p, own)
            for figure, columns in enumerate(classes, start=1):
                there = own[:, columns].astype(np.float64)
                total = there.sum(1)
                np.divide(there @ flagged[columns], total, out=found[figure, chosen, group], where=total > 0)
    return found
