"""Leave-one-environment-out cross-validation: two models, fitted and compared without some environments in turn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch_geometric.data import HeteroData

from gdsfd.graph.loader import rows_of
from gdsfd.graph.patient_store import PatientStore
from gdsfd.training.arm import Arm, FittedArm
from gdsfd.training.fits_at_once import Fit, Fits
from gdsfd.training.inference import predict
from gdsfd.training.model_selection.compared_patients import ComparedPatients
from gdsfd.training.model_selection.neutral_weights import neutral_weights
from gdsfd.training.progress import Watch

__all__ = [
    "EnvironmentFold",
    "environment_folds",
    "leave_one_environment_out",
    "left_out_fits",
    "patients_left_out",
]


Floats = NDArray[np.float64]


@dataclass(frozen=True)
class EnvironmentFold:
    """Training without some environments.

    Args:
        name: The environments left out.
        rows: Rows of ``train`` and ``tuning`` of the others.
        left_out: Rows of ``train`` and ``tuning`` in the environments left out that have any label.
        judged: Of which outcomes both labels are there to train and to choose the epoch on; one per outcome.
    """

    name: str
    rows: dict[str, Tensor]
    left_out: Tensor
    judged: tuple[bool, ...] = (True,)


def environment_folds(graph: HeteroData, folds: int) -> list[EnvironmentFold]:
    """Groups the training environments into folds of about equal size, each to be left out once.

    Args:
        graph: The graph.
        folds: Most folds; with fewer environments each is a fold of its own.

    Returns:
        Nothing when no environment is declared or there is only one. A fold without which no outcome has both labels
        to train and to choose the epoch on is not there.
    """
    environment = graph["patient"].get("environment")
    if environment is None or folds < 2:
        return []
    names = np.asarray(environment, dtype=object).astype(str)
    label = _labels(graph)
    labelled = label.max(axis=1) >= 0
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
        left_out = np.concatenate([rows_in[inside[rows_in] & labelled[rows_in]] for rows_in in (train, tuning)])
        judged = tuple(all(_differ(own[kept]) for kept in rows.values()) for own in label.T)
        if not any(judged):
            continue
        made.append(
            EnvironmentFold(
                ", ".join(part),
                {split: torch.from_numpy(kept) for split, kept in rows.items()},
                torch.from_numpy(left_out),
                judged,
            )
        )
    return made


def _labels(graph: HeteroData) -> NDArray[np.int64]:
    """Class of each patient for each outcome, -1 = unlabelled; [N, outcomes]. Of a time to an event: whether it was
    seen to happen, one column.
    """
    y = graph["patient"].y
    if graph.schema.survival is not None:
        y = torch.where(y.isnan().all(1), float("nan"), (y == 1).any(1).float())
    found: NDArray[np.int64] = (y if not y.is_floating_point() else torch.nan_to_num(y, nan=-1.0).long()).numpy()
    return found.reshape(len(found), -1)


def _differ(label: NDArray[np.int64]) -> bool:
    """Whether there are two labels among the known ones."""
    return np.unique(label[label >= 0]).size > 1


def left_out_fits(
    name: str, arm: Arm, folds: list[EnvironmentFold], folder: Path | None, watch: Watch | None
) -> list[Fit]:
    """The fits of an arm without each fold; one member each, to save time.

    Args:
        name: ``reference`` or ``debiased``.
        arm: The arm.
        folds: What is left out in turn.
        folder: Where checkpoints go; None = nowhere.
        watch: Called with each row of the fits' histories.
    """
    single = replace(arm, config=replace(arm.config, members=1, boosted_members=0))
    places = [folder / f"without-{number}-{name}" if folder is not None else None for number in range(len(folds))]
    return [Fit(single, fold.rows, place, watch) for fold, place in zip(folds, places)]


def leave_one_environment_out(
    graph: HeteroData,
    reference: Arm,
    debiased: Arm,
    folds: list[EnvironmentFold],
    folder: Path | None,
    fits: Fits,
    on_epoch: Watch | None,
    shared: dict[str, FittedArm] | None,
    store: PatientStore,
    strata: Floats | None = None,
) -> ComparedPatients:
    """Fits both arms without each fold; what they say of the patients in the environments left out.

    Args:
        graph: The graph.
        reference: The arm without debiasing.
        debiased: The other.
        folds: What is left out in turn.
        folder: Where checkpoints go; None = nowhere.
        fits: What the fits are asked of.
        on_epoch: Called with each row of the fits' histories.
        shared: Fits of the reference by the fold's name; what is missing is added.
        store: The graph's.
        strata: Shares of strata that are a practice (:func:`practice_shares`), [N, K].

    Returns:
        The patients left out, fold by fold, weighted so that the environment, and the strata, tell nothing of the
        outcome, with the probabilities of ``reference`` and ``debiased``.
    """
    shared = shared if shared is not None else {}
    wanted = {
        name: [
            fits.begin(fit) if name != "reference" or fold.name not in shared else None
            for fold, fit in zip(folds, left_out_fits(name, arm, folds, folder, on_epoch))
        ]
        for name, arm in (("reference", reference), ("debiased", debiased))
    }
    scores: dict[str, list[NDArray[np.float64]]] = {"reference": [], "debiased": []}
    for number, fold in enumerate(folds):
        for name, asks in wanted.items():
            ask = asks[number]
            fitted = ask() if ask is not None else shared[fold.name]
            if name == "reference":
                shared[fold.name] = fitted
            scores[name].append(predict(fitted.network, store, fold.left_out).probability)
    patients = patients_left_out(graph, folds, strata)
    return patients.with_scores({name: np.concatenate(own) for name, own in scores.items()})


def patients_left_out(
    graph: HeteroData, folds: list[EnvironmentFold], strata: Floats | None = None
) -> ComparedPatients:
    """The patients whom folds leave out, one fold after the other, weighted; no model has scores of them yet.

    Args:
        graph: The graph.
        folds: What is left out in turn.
        strata: Shares of strata that are a practice (:func:`practice_shares`), [N, K].
    """
    chosen = torch.cat([fold.left_out for fold in folds])
    patient = graph["patient"]
    names = np.asarray(patient.environment, dtype=object).astype(str)
    return ComparedPatients(
        torch.cat([_judged(patient.y[fold.left_out], fold.judged) for fold in folds]),
        {},
        # One fold's scores are never compared with another's: they come from other networks.
        [fold.name for fold in folds for _ in range(len(fold.left_out))],
        [str(patient.subject[int(row)]) for row in chosen],
        np.concatenate([_neutral(graph, names, fold, strata) for fold in folds]),
    )


def _judged(y: Tensor, judged: tuple[bool, ...]) -> Tensor:
    """Labels without those of outcomes that are not judged; [n, outcomes] or, of classes, [n]."""
    if all(judged):
        return y
    return torch.where(torch.tensor(judged), y, torch.full_like(y, float("nan")))


def _neutral(graph: HeteroData, names: NDArray[np.str_], fold: EnvironmentFold, strata: Floats | None) -> Floats:
    """Weights of a fold's patients, outcome by outcome; 0 where a label is not known or not judged. [n, outcomes]"""
    inside = fold.left_out.numpy()
    label = _labels(graph)[inside]
    weight = np.zeros(label.shape)
    for column in np.flatnonzero(fold.judged):
        known = label[:, column] >= 0
        rows = inside[known]
        own = None if strata is None else strata[rows]
        weight[known, column] = neutral_weights(label[known, column], names[rows].tolist(), own)
    return weight
