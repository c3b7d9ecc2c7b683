"""Concordance of two models' probabilities, and AUROC over all outcomes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch_geometric.data import HeteroData

from gdsfd.graph.loader import rows_of
from gdsfd.training.model_selection.concordance import Concordance, concordance_gain
from gdsfd.training.model_selection.neutral_weights import neutral_weights
from gdsfd.training.suspects.hazard_by_suspects import told_by_suspects
from gdsfd.training.suspects.suspect_codes import suspect_codes

__all__ = ["OUTPUT", "concordance_of_models", "mean_area", "strata_weights", "tuning_weights"]

Floats = NDArray[np.float64]

#: Stands between a group and the number of an outcome or class.
OUTPUT = " / output "


def tuning_weights(graph: HeteroData, suspects: tuple[str, ...], rows: Tensor, share: Floats | None = None) -> Floats:
    """Weights of tuning patients under which the suspects tell nothing of the outcome; [n].

    Args:
        graph: The graph.
        suspects: The declared suspects.
        rows: Tuning rows.
        share: Shares of strata that are a practice, float64 [N, K]: then it is they that tell nothing.
    """
    patient = graph["patient"]
    if share is not None:
        return strata_weights(patient.y[rows], share[rows.numpy()])
    train = rows_of(graph, "train")
    codes = suspect_codes(graph, suspects, train)
    found = told_by_suspects(graph.schema, patient.y, codes, train, patient.subject)
    weight: Floats = found.weight[rows].double().numpy()
    return weight


def strata_weights(y: Tensor, share: Floats) -> Floats:
    """Weights under which strata tell nothing of an outcome, 0 where it is unknown; [n].

    Args:
        y: Of one outcome.
        share: Shares of the strata; [n, K].
    """
    label = torch.nan_to_num(y.reshape(len(y), -1)[:, 0].double(), nan=-1.0).long().numpy()
    weight, known = np.zeros(len(label)), label >= 0
    weight[known] = neutral_weights(label[known], [""] * int(known.sum()), share[known])
    return weight


def concordance_of_models(
    y: Tensor, reference: Floats, other: Floats, group: list[str], subject: list[str], weight: Floats | None = None
) -> Concordance:
    """The gain, with several outcomes or classes taken as further groups.

    Args:
        y: Labels.
        reference: Probabilities of one model.
        other: Of the other.
        group: Whose pairs count, one with another; [n].
        subject: [n].
        weight: Of the patients, [n], or of each for each outcome, [n, outcomes]; None = all alike.
    """
    labels, first, second = _targets(y, reference), _positive(y, reference), _positive(y, other)
    kept = [labels[:, column] >= 0 for column in range(labels.shape[1])]

    def stacked(values: Any) -> Any:
        return np.concatenate([np.asarray(values)[mask] for mask in kept])

    return concordance_gain(
        np.concatenate([labels[mask, column] for column, mask in enumerate(kept)]),
        np.concatenate([first[mask, column] for column, mask in enumerate(kept)]),
        np.concatenate([second[mask, column] for column, mask in enumerate(kept)]),
        [
            f"{name}{'' if len(kept) == 1 else f'{OUTPUT}{column}'}"
            for column, mask in enumerate(kept)
            for name in np.asarray(group, dtype=object)[mask]
        ],
        list(stacked(subject)),
        None if weight is None else np.concatenate([_of_column(weight, k)[mask] for k, mask in enumerate(kept)]),
    )


def _of_column(weight: Floats, column: int) -> Floats:
    if weight.ndim == 1:
        return weight
    own: Floats = weight[:, column if weight.shape[1] > 1 else 0]
    return own


def _targets(y: Tensor, scores: Floats) -> NDArray[np.int64]:
    """0/1 labels with -1 = unlabelled, one column per outcome or class."""
    if y.is_floating_point():
        return torch.where(torch.isnan(y), -1.0, y).long().numpy()
    classes = np.arange(scores.shape[1])
    return np.where(y.numpy()[:, None] < 0, -1, y.numpy()[:, None] == classes).astype(np.int64)


def _positive(y: Tensor, scores: Floats) -> Floats:
    return scores[:, 1:] if y.is_floating_point() and y.size(1) == 1 else scores


def mean_area(y: Tensor, scores: Floats, weight: Floats | None = None) -> float:
    """AUROC averaged over outcomes or classes that have both labels; NaN when none has.

    Args:
        y: Labels.
        scores: Probabilities.
        weight: Of the patients; None = all alike; [n].
    """
    from sklearn.metrics import roc_auc_score  # slow to import

    labels, positive = _targets(y, scores), _positive(y, scores)
    found = []
    for column in range(labels.shape[1]):
        known = labels[:, column] >= 0
        if 0 < labels[known, column].sum() < known.sum():
            own = None if weight is None else weight[known]
            found.append(roc_auc_score(labels[known, column], positive[known, column], sample_weight=own))
    return float(np.mean(found)) if found else math.nan
