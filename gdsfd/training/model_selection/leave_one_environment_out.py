"""Leave-one-environment-out cross-validation: two models, fitted and compared without some environments in turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch_geometric.data import HeteroData

from gdsfd.graph.loader import rows_of
from gdsfd.graph.patient_store import PatientStore
from gdsfd.training.arm import Arm, FittedArm
from gdsfd.training.inference import predict
from gdsfd.training.model_selection.concordance import Concordance
from gdsfd.training.model_selection.evidence import concordance_of_models

__all__ = ["EnvironmentFold", "environment_folds", "leave_one_environment_out"]


Floats = NDArray[np.float64]


@dataclass(frozen=True)
class EnvironmentFold:
    """Training without some environments.

    Args:
        name: The environments left out.
        rows: Rows of ``train`` and ``tuning`` of the others.
        left_out: Labelled rows of ``train`` and ``tuning`` in the environments left out.
    """

    name: str
    rows: dict[str, Tensor]
    left_out: Tensor


def environment_folds(graph: HeteroData, folds: int) -> list[EnvironmentFold]:
    """Groups the training environments into folds of about equal size, each to be left out once.

    Args:
        graph: The graph.
        folds: Most folds; with fewer environments each is a fold of its own.

    Returns:
        Nothing when no environment is declared, there is only one, or leaving a fold out leaves no labelled patient of
        some label to train or choose the epoch on.
    """
    environment = graph["patient"].get("environment")
    if environment is None or folds < 2:
        return []
    names = np.asarray(environment, dtype=object).astype(str)
    y = graph["patient"].y
    label = (y if not y.is_floating_point() else torch.nan_to_num(y[:, 0], nan=-1.0).long()).numpy()
    train, tuning = (rows_of(graph, split).numpy() for split in ("train", "tuning"))
    known, counts = np.unique(names[train], return_counts=True)
    if len(known) < 2:
        return []
    parts: list[list[str]] = [[] for _ in range(min(folds, len(known)))]
    sizes = np.zeros(len(parts))
    for number in np.argsort(-counts, kind="stable"):
        smallest = int(sizes.argmin())
        parts[smallest].append(str(known[number]))
        sizes[smallest] += counts[number]
    made = []
    for part in parts:
        inside = np.isin(names, part)
        rows = {"train": train[~inside[train]], "tuning": tuning[~inside[tuning]]}
        left_out = np.concatenate([rows_in[inside[rows_in] & (label[rows_in] >= 0)] for rows_in in (train, tuning)])
        if any(np.unique(label[kept][label[kept] >= 0]).size < 2 for kept in rows.values()):
            continue
        made.append(
            EnvironmentFold(
                ", ".join(part),
                {split: torch.from_numpy(kept) for split, kept in rows.items()},
                torch.from_numpy(left_out),
            )
        )
    return made


def leave_one_environment_out(
    graph: HeteroData,
    reference: Arm,
    debiased: Arm,
    folds: list[EnvironmentFold],
    folder: Path | None,
    resume: bool,
    settings: dict[str, Any] | None,
    on_epoch: Callable[[dict[str, Any]], None] | None,
    shared: dict[str, FittedArm] | None,
    store: PatientStore,
) -> Concordance:
    """Fits both arms without each fold and compares them inside the environments left out.

    Args:
        graph: The graph.
        reference: The arm without debiasing.
        debiased: The other.
        folds: What is left out in turn; one member each is fitted, to save time.
        folder: Where checkpoints go; None = nowhere.
        resume: Whether to go on from them.
        settings: Stored with them.
        on_epoch: Called with each row of the fits' histories.
        shared: Fits of the reference by the fold's name; what is missing is added.
        store: The graph's, which all fits share.

    Returns:
        Concordance among patients weighted so that the environment tells nothing of the outcome.
    """
    shared = shared if shared is not None else {}
    rows, scores = [], {"reference": [], "debiased": []}  # type: ignore[var-annotated]
    for number, fold in enumerate(folds):
        rows.append(fold.left_out)
        for name, arm in (("reference", reference), ("debiased", debiased)):
            single = replace(arm, config=replace(arm.config, members=1))
            fitted = shared.get(fold.name) if name == "reference" else None
            if fitted is None:
                place = folder / f"without-{number}-{name}" if folder is not None else None
                fitted = single.fit(graph, fold.rows, place, resume, settings, on_epoch, store)
            if name == "reference":
                shared[fold.name] = fitted
            scores[name].append(predict(fitted.network, store, fold.left_out).probability)
    chosen = torch.cat(rows)
    patient = graph["patient"]
    weight = np.concatenate([_environment_weights(graph, fold.left_out) for fold in folds])
    # One fold's scores are never compared with another's: they come from other networks.
    group = [fold.name for fold in folds for _ in range(len(fold.left_out))]
    return concordance_of_models(
        patient.y[chosen],
        np.concatenate(scores["reference"]),
        np.concatenate(scores["debiased"]),
        group,
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
