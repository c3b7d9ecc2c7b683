"""AUROC and average precision under many sets of weights, from one sort."""

from __future__ import annotations

import numpy as np

from gdsfd.evaluation.metrics.formulas import Floats

__all__ = ["weighted_ranking"]


def weighted_ranking(y: Floats, p: Floats, weights: Floats) -> tuple[Floats, Floats]:
    r"""AUROC and average precision with weighted patients.

    With patients in groups g of equal score, best first, and weighted positives :math:`P_g` and negatives :math:`N_g`
    of which :math:`P, N` are the totals and :math:`\bar P_g, \bar N_g` the sums up to and with g,

    .. math:: \mathrm{AUROC} = \frac{1}{PN} \sum_g P_g \left(N - \bar N_g + \tfrac12 N_g\right) \qquad
              \mathrm{AP} = \frac1P \sum_g P_g \frac{\bar P_g}{\bar P_g + \bar N_g}

    which are scikit-learn's definitions with ``sample_weight``.

    Args:
        y: Labels, 0 or 1; [m].
        p: Scores; [m].
        weights: One row per set of weights; [r, m].

    Returns:
        AUROC and average precision, NaN where one class has no weight; each [r].
    """
    if not len(y):
        return np.full(len(weights), np.nan), np.full(len(weights), np.nan)
    order = np.argsort(-p, kind="stable")
    y, p = y[order], p[order]
    sorted_weights = weights[:, order]
    positive, negative = sorted_weights * y, sorted_weights * (1 - y)
    starts = np.flatnonzero(np.concatenate([[True], p[1:] != p[:-1]]))
    if len(starts) < len(p):
        positive, negative = np.add.reduceat(positive, starts, axis=1), np.add.reduceat(negative, starts, axis=1)
    positives_so_far, negatives_so_far = positive.cumsum(1), negative.cumsum(1)
    positives, negatives = positives_so_far[:, -1], negatives_so_far[:, -1]
    beaten = negatives[:, None] - negatives_so_far
    beaten += negative / 2
    flagged = positives_so_far + negatives_so_far
    precision = np.divide(positives_so_far, flagged, out=np.zeros_like(flagged), where=flagged > 0)
    pairs = positives * negatives
    # np.divide leaves the NaN in place where a class has no weight.
    undefined = np.full(len(weights), np.nan)
    area = np.divide(np.einsum("rg,rg->r", positive, beaten), pairs, out=undefined.copy(), where=pairs > 0)
    average = np.divide(np.einsum("rg,rg->r", positive, precision), positives, out=undefined, where=pairs > 0)
    return area, average
