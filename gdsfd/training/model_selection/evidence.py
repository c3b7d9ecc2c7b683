"""How much a debiased model gains on patients that it was not trained on."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from torch import Tensor
from torch_geometric.data import HeteroData

from gdsfd.graph.loader import rows_of
from gdsfd.training.arm import Arm, FittedArm
from gdsfd.training.model_selection.concordance import Concordance, concordance_gain
from gdsfd.training.model_selection.leave_one_environment_out import Fold
from gdsfd.training.scoring import probabilities_of
from gdsfd.training.suspects.outcome_by_suspects import outcome_by_suspects
from gdsfd.training.suspects.suspect_codes import suspect_codes

__all__ = ["left_out_gain", "mean_area", "weighted_gain"]

Floats = NDArray[np.float64]


def left_out_gain(
    graph: HeteroData,
    reference: Arm,
    debiased: Arm,
    parts: list[Fold],
    folder: Path | None,
    resume: bool,
    settings: dict[str, Any] | None,
    on_epoch: Callable[[dict[str, Any]], None] | None,
    shared: dict[str, FittedArm] | None,
) -> Concordance:
    """Both arms fitted without each fold and compared inside its environments."""
    shared = shared if shared is not None else {}
    rows, scores = [], {"reference": [], "debiased": []}  # type: ignore[var-annotated]
    for number, part in enumerate(parts):
        rows.append(part.left_out)
        for name, arm in (("reference", reference), ("debiased", debiased)):
            single = replace(arm, config=replace(arm.config, members=1))
            fitted = shared.get(part.name) if name == "reference" else None
            if fitted is None:
                place = folder / f"without-{number}-{name}" if folder is not None else None
                fitted = single.fit(graph, part.rows, place, resume, settings, on_epoch)
            if name == "reference":
                shared[part.name] = fitted
            scores[name].append(probabilities_of(fitted.network, graph, part.left_out))
    chosen = torch.cat(rows)
    patient = graph["patient"]
    weight = np.concatenate([_environment_weights(graph, part.left_out) for part in parts])
    # One fold's scores are never compared with another's: they come from other networks.
    fold = [part.name for part in parts for _ in range(len(part.left_out))]
    return _gain(
        patient.y[chosen],
        np.concatenate(scores["reference"]),
        np.concatenate(scores["debiased"]),
        fold,
        [str(patient.subject[int(row)]) for row in chosen],
        weight,
    )


def _environment_weights(graph: HeteroData, rows: Tensor, least: float = 5.0, most: float = 5.0) -> Floats:
    """P(y) / P(y | environment) of some patients, by smoothed counts: environments then tell nothing of the outcome."""
    y = graph["patient"].y
    label = (y if not y.is_floating_point() else y[:, 0].long())[rows].numpy()
    names = np.asarray([str(graph["patient"].environment[int(row)]) for row in rows], dtype=str)
    weight = np.ones(len(rows))
    for value in np.unique(label):
        share = float((label == value).mean())
        for name in np.unique(names):
            inside = names == name
            here = (float((label[inside] == value).sum()) + least * share) / (inside.sum() + least)
            weight[inside & (label == value)] = min(share / here, most)
    return weight


def weighted_gain(
    graph: HeteroData, suspects: tuple[str, ...], rows: Tensor, scores: Mapping[str, Floats]
) -> Concordance:
    """The fitted models on tuning patients under stratum weights."""
    patient = graph["patient"]
    train = rows_of(graph, "train")
    codes = suspect_codes(graph, suspects, train)
    found = outcome_by_suspects(patient.y, codes, train, patient.subject, graph.schema.num_outputs)
    weight = found.weight[rows].reshape(len(rows), -1)[:, 0].double().numpy()
    subject = [str(patient.subject[int(row)]) for row in rows]
    return _gain(patient.y[rows], scores["reference"], scores["debiased"], [""] * len(rows), subject, weight)


def _gain(
    y: Tensor, reference: Floats, other: Floats, group: list[str], subject: list[str], weight: Floats | None = None
) -> Concordance:
    """The gain, with several outcomes or classes taken as further groups."""
    labels, first, second = _targets(y, reference), _positive(y, reference), _positive(y, other)
    kept = [labels[:, column] >= 0 for column in range(labels.shape[1])]

    def stacked(values: Any) -> Any:
        return np.concatenate([np.asarray(values)[mask] for mask in kept])

    return concordance_gain(
        np.concatenate([labels[mask, column] for column, mask in enumerate(kept)]),
        np.concatenate([first[mask, column] for column, mask in enumerate(kept)]),
        np.concatenate([second[mask, column] for column, mask in enumerate(kept)]),
        [
            f"{name}{'' if len(kept) == 1 else f' / output {column}'}"
            for column, mask in enumerate(kept)
            for name in np.asarray(group, dtype=object)[mask]
        ],
        list(stacked(subject)),
        None if weight is None else stacked(weight),
    )


def _targets(y: Tensor, scores: Floats) -> NDArray[np.int64]:
    """0/1 labels with -1 = unlabelled, one column per outcome or class."""
    if y.is_floating_point():
        return torch.where(torch.isnan(y), -1.0, y).long().numpy()
    classes = np.arange(scores.shape[1])
    return np.where(y.numpy()[:, None] < 0, -1, y.numpy()[:, None] == classes).astype(np.int64)


def _positive(y: Tensor, scores: Floats) -> Floats:
    return scores[:, 1:] if y.is_floating_point() and y.size(1) == 1 else scores


def mean_area(y: Tensor, scores: Floats) -> float:
    """AUROC averaged over outcomes or classes that have both labels; NaN when none has."""
    labels, positive = _targets(y, scores), _positive(y, scores)
    found = []
    for column in range(labels.shape[1]):
        known = labels[:, column] >= 0
        if 0 < labels[known, column].sum() < known.sum():
            found.append(roc_auc_score(labels[known, column], positive[known, column]))
    return float(np.mean(found)) if found else math.nan
