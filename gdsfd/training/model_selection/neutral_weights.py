"""Weights under which found strata and environments tell nothing of the outcome."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch_geometric.data import HeteroData

from gdsfd.graph.loader import rows_of
from gdsfd.latent.choice import choose_strata
from gdsfd.latent.found_strata import SUSPECTS

__all__ = ["neutral_weights", "practice_shares"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Patients that a cell of outcome and level counts more, at the outcome's overall share: rare levels stay near 1.
SMOOTHED = 5.0
#: The largest weight by strata, and by environments.
MOST = 5.0


def practice_shares(
    graph: HeteroData, suspects: Sequence[str], seed: int = 0, found_in_training: bool = False
) -> Floats | None:
    """``P(u | x, v, y)`` of found strata where the evidence says that they are a practice (:mod:`gdsfd.latent`).

    They are fitted on all labelled training and tuning patients, those included on whom two models are compared: they
    weigh both alike.

    Args:
        graph: The graph.
        suspects: The declared suspects.
        seed: Of EM's starts.
        found_in_training: Whether training found a practice. Where the look at all these patients cannot tell, its
            strata, fitted on training patients alone, are taken: they are what one of the models left out.

    Returns:
        float64 [N, K], rows of 0 for patients without a label in ``train`` or ``tuning``; None without strata that are
        a practice, with several outcomes, or where neither environment nor pattern is a suspect.
    """
    told = tuple(word for word in SUSPECTS if word in suspects)
    if len(graph.schema.outcomes) > 1 or not told:
        return None
    choice = choose_strata(graph, 0, told, seed)
    if not choice.used and found_in_training:
        choice = choose_strata(graph, 0, told, seed, fit_tuning=False)
    found = choice.found
    if not choice.used or found is None:
        return None
    share = np.zeros((int(graph["patient"].num_nodes), found.share.shape[1]))
    share[found.rows] = found.share
    rest = np.setdiff1d(rows_of(graph, ("train", "tuning")).numpy(), found.rows)
    y = graph["patient"].y.reshape(len(share), -1)[rest, 0].double().numpy()
    known = np.isfinite(y) & (y >= 0)
    if known.any():
        share[rest[known]] = found.responsibilities(graph, rest[known], y[known].astype(np.int64))
    return share


def neutral_weights(label: Ints, environment: Sequence[str], share: Floats | None = None) -> Floats:
    r"""Weights of some patients under which neither strata nor environments tell of the outcome.

    .. math:: w_i = \Big(\sum_u q_i(u) \frac{P(y_i)}{P(y_i \mid u)}\Big) \cdot \frac{P_w(y_i)}{P_w(y_i \mid e_i)}

    With responsibilities :math:`q` the first factor is, in expectation, the weight by the stratum itself. The second is
    worked out on patients weighted by the first: where strata have evened out what environments told, it is near 1.

    Args:
        label: Outcome class of each patient; [n].
        environment: Of each patient.
        share: Shares of strata of each patient, [n, K]; rows of 0 count 1. None = no strata.

    Returns:
        [n].

    References:
        Inverse probability weighting by a latent class's posterior, in this composition ours.
    """
    classes, label = np.unique(label, return_inverse=True)
    levels = np.unique(np.asarray(environment, dtype=str), return_inverse=True)[1]
    weight = np.ones(len(label))
    if share is not None:
        weight = _factor(label, len(classes), share, weight)
    return weight * _factor(label, len(classes), np.eye(int(levels.max(initial=0)) + 1)[levels], weight)


def _factor(label: Ints, classes: int, share: Floats, weight: Floats) -> Floats:
    """``P_w(y) / P_w(y | level)``, averaged over each patient's shares of the levels."""
    counts = (weight[:, None] * np.eye(classes)[label]).T @ share  # [classes, levels]
    overall = np.bincount(label, weight, classes) / max(weight.sum(), 1e-12)
    inside = (counts + SMOOTHED * overall[:, None]) / (counts.sum(0) + SMOOTHED)
    ratio = np.minimum(overall[:, None] / np.maximum(inside, 1e-12), MOST)
    total = share.sum(1)
    return np.where(total > 0, (ratio[label] * share).sum(1) / np.where(total > 0, total, 1.0), 1.0)
