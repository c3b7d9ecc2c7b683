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

    which are scikit-learn's definitions with ``sample_weight``. A group's terms are shared out among its positives.

    Args:
        y: Labels, 0 or 1; [m].
        p: Scores; [m].
        weights: One row per set of weights; [r, m].

    Returns:
        AUROC and average precision, NaN where one class has no weight; each [r].
    """
    undefined = np.full(len(weights), np.nan)
    if not len(y):
        return undefined, undefined.copy()
    order = np.argsort(-p, kind="stable")
    y, p = y[order], p[order]
    first = np.concatenate([[True], p[1:] != p[:-1]])
    starts = np.flatnonzero(first)
    positive = np.flatnonzero(y > 0)
    group = (np.cumsum(first) - 1)[positive]
    begin, end = starts[group], np.append(starts[1:], len(p))[group]  # of the group each positive stands in
    # Sums are needed where there is a positive only, which are few as a rule.
    all_so_far, positives_so_far = _sums_before(weights[:, order]), _sums_before(weights[:, order[positive]])
    positives, total = positives_so_far[:, -1], all_so_far[:, -1]
    flagged, found = all_so_far[:, end], positives_so_far[:, np.searchsorted(positive, end)]
    better = all_so_far[:, begin] - positives_so_far[:, np.searchsorted(positive, begin)]  # negatives
    beaten = (total - positives)[:, None] - (flagged - found + better) / 2
    precision = np.divide(found, flagged, out=np.zeros_like(flagged), where=flagged > 0)
    pairs = positives * (total - positives)
    own = weights[:, order[positive]]
    # np.divide leaves the NaN in place where a class has no weight.
    area = np.divide(np.einsum("rg,rg->r", own, beaten), pairs, out=undefined.copy(), where=pairs > 0)
    average = np.divide(np.einsum("rg,rg->r", own, precision), positives, out=undefined, where=pairs > 0)
    return area, average


def _sums_before(weights: Floats) -> Floats:
    """Sums of all columns before each, and of all; [r, m + 1]."""
    sums = np.zeros((weights.shape[0], weights.shape[1] + 1))
    np.cumsum(weights, axis=1, out=sums[:, 1:])
    return sums
