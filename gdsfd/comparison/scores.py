"""How good probabilities are on each evaluation split."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch_geometric.data import HeteroData

from gdsfd.errors import InputError, shown
from gdsfd.evaluation.metrics.formulas import Floats, auprc, auroc, log_loss
from gdsfd.evaluation.targets import labels_of, rows_of_split, targets_of

__all__ = [
    "any_label",
    "check_judged",
    "evaluation_splits",
    "judged_splits",
    "scores_by_split",
    "scores_of_probability",
]

#: Split -> figure -> value.
Figures = dict[str, dict[str, Any]]


def evaluation_splits(graph: HeteroData) -> list[str]:
    """The splits nothing was fitted or chosen on: ``test`` first, then the others by name."""
    names = {str(name) for name in graph["patient"].split} - {"train", "tuning", ""}
    return sorted(names, key=lambda name: (name != "test", name))


def check_judged(graph: HeteroData) -> None:
    """Refuses a graph on which no arm could be judged, before anything is fitted.

    Raises:
        InputError: It has no evaluation split, or none where somebody has an outcome and somebody has it not.
    """
    splits = evaluation_splits(graph)
    if not splits:
        names = sorted(set(map(str, graph["patient"].split)))
        raise InputError(
            f"compare: the graph has the splits {shown(names)} and none to judge on; give [split] fractions with a "
            "third share above 0, or name some patients 'test' in the split column"
        )
    for split in splits:
        labels = labels_of(graph, rows_of_split(graph, split))
        if any(len(np.unique(own[np.isfinite(own)])) > 1 for own in labels.T):
            return
    raise InputError(
        f"compare: no outcome has patients with and without it in {shown(splits)}: no ranking can be judged there. "
        "Give a split that has both"
    )


def judged_splits(graph: HeteroData) -> list[str]:
    """The evaluation splits; with only one of them also ``tuning``, the one look at patients like those trained on.

    The epoch is chosen on tuning patients, so figures there lean to the good side, for all arms alike.
    """
    splits = evaluation_splits(graph)
    return splits if len(splits) > 1 else [*splits, "tuning"]


def scores_by_split(graph: HeteroData, probabilities: dict[str, NDArray[np.float64]], who: str) -> Figures:
    """AUROC, AUPRC and log loss (nats) per split; of several outcomes or classes the mean over those with both labels.

    The labels alone decide which those are, so that every arm has the same; where none has both, it is all of them.

    Args:
        graph: The graph.
        probabilities: Split -> what ``predict_proba`` gives for it.
        who: Whose they are, for messages.

    Returns:
        Split -> ``n`` (patients with a label), ``positives`` (None with several targets), the three figures, NaN where
        a split has one label only, and with several targets ``mean_of``, their names.
    """
    found: Figures = {}
    for split, given in probabilities.items():
        targets = targets_of(graph, rows_of_split(graph, split), given, f"{who}, {split}")
        several = len(targets) > 1
        targets = [target for target in targets if 0 < target.y.sum() < len(target.y)] or targets
        found[split] = {
            "n": len(np.unique(np.concatenate([target.rows for target in targets]))),
            "positives": None if several else int(targets[0].y.sum()),
            "auroc": _mean([auroc(target.y, target.p) for target in targets]),
            "auprc": _mean([auprc(target.y, target.p) for target in targets]),
            "loss": _mean([log_loss(target.y, target.p) for target in targets]),
        }
        if several:
            found[split]["mean_of"] = [target.name for target in targets]
    return found


def scores_of_probability(graph: HeteroData, score: Floats) -> Figures:
    """Figures of one probability per patient of the graph, such as a simulation's oracle (one binary outcome)."""
    return scores_by_split(
        graph,
        {
            split: np.stack([1 - score[rows], score[rows]], axis=1)
            for split in judged_splits(graph)
            for rows in [rows_of_split(graph, split)]
        },
        "oracle",
    )


def any_label(graph: HeteroData) -> NDArray[np.int64]:
    """First outcome's label of each patient, -1 = unlabelled; int64 [N]."""
    every = labels_of(graph, np.arange(len(graph["patient"].id)))
    if graph.schema.multiclass:
        return np.where(np.isnan(every).any(1), -1, np.nan_to_num(every).argmax(1)).astype(np.int64)
    return np.where(np.isnan(every[:, 0]), -1, every[:, 0]).astype(np.int64)


def _mean(values: list[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return float(np.mean(known)) if known else math.nan
