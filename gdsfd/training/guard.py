"""Which of two models is to be used: the debiased one, or the same backbone trained without debiasing."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from torch import Tensor
from torch_geometric.data import HeteroData

from gdsfd.graph.loader import rows_of
from gdsfd.training.arm import Arm, FittedArm
from gdsfd.training.concordance import Concordance, concordance_gain
from gdsfd.training.outcome_by_suspects import outcome_by_suspects
from gdsfd.training.scoring import probabilities_of
from gdsfd.training.suspect_codes import suspect_codes

__all__ = ["Choice", "Guard", "environment_folds", "judge"]

Choice = Literal["reference", "debiased"]

#: Tuning AUROC below which, or this far below ERM's, a debiased model has failed; from METHODS 7.6, reading 5.
FAILED_AUROC = 0.5
FAILED_BELOW = 0.10
WARN_BELOW = 0.03
#: Gain in concordance from which the debiased model is used.
LEAST_GAIN = 0.005

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Guard:
    """A verdict with its reasons.

    Args:
        choice: What predictions come from, unless the user forces the other.
        words: The reason in words.
        tuning: AUROC of both models on the tuning patients.
        evidence: Concordance of both, on patients neither was trained on: in environments that were left out of training
            in turn, weighted so that the environment tells nothing of the outcome, or on tuning patients weighted so that the suspects tell nothing of the outcome. Empty when
            neither could be worked out.
        failed: Whether the debiased model failed grossly.
    """

    choice: Choice
    words: str
    tuning: dict[str, float] = field(default_factory=dict)
    evidence: dict[str, Any] = field(default_factory=dict)
    failed: bool = False

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able copy."""
        return asdict(self)


@dataclass(frozen=True)
class Fold:
    """Training without some environments.

    Args:
        name: The environments left out.
        rows: Rows of ``train`` and ``tuning`` of the others.
        left_out: Labelled rows of ``train`` and ``tuning`` in the environments left out.
    """

    name: str
    rows: dict[str, Tensor]
    left_out: Tensor


def environment_folds(graph: HeteroData, folds: int) -> list[Fold]:
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
            Fold(
                ", ".join(part),
                {split: torch.from_numpy(kept) for split, kept in rows.items()},
                torch.from_numpy(left_out),
            )
        )
    return made


def judge(
    graph: HeteroData,
    reference: Arm,
    debiased: Arm,
    fitted: Mapping[str, FittedArm],
    folds: int = 3,
    folder: Path | None = None,
    resume: bool = False,
    settings: dict[str, Any] | None = None,
    on_epoch: Callable[[dict[str, Any]], None] | None = None,
    left_out_reference: dict[str, FittedArm] | None = None,
) -> Guard:
    """Compares a debiased model with its reference without looking at any test patient.

    The debiased model is used where it gains at least :data:`LEAST_GAIN`; the words say how sure that is. The gain is in concordance (AUROC) in environments left out in turn, of models trained without them (one member each, to
    save time), among patients weighted so that the environment tells nothing of the outcome. Where
    no environment is declared it is that of the fitted models on tuning patients, weighted so that the declared
    suspects tell nothing of the outcome: right when the suspects are what biases, and when there are enough tuning
    patients. In-distribution figures cannot tell removed bias from removed signal; they only catch failure.

    Args:
        graph: The graph.
        reference: The arm without debiasing.
        debiased: The other.
        fitted: Both, fitted: ``reference`` and ``debiased``.
        folds: Most groups of environments to leave out; below 2 the tuning patients decide.
        folder: Where checkpoints of the further fits go.
        resume: Whether to go on from them.
        settings: Stored with the checkpoints.
        on_epoch: Called with each row of the further fits' histories.
        left_out_reference: Fits of the reference without each fold, by the fold's name; what is missing is added. Lets
            several debiased arms share them.
    """
    y = graph["patient"].y
    tuning_rows = rows_of(graph, "tuning")
    scores = {name: probabilities_of(arm.network, graph, tuning_rows) for name, arm in fitted.items()}
    areas = {name: _area(y[tuning_rows], score) for name, score in scores.items()}
    figures = {f"{name}_auroc": area for name, area in areas.items()}
    below = areas["reference"] - areas["debiased"]
    if areas["debiased"] < FAILED_AUROC <= areas["reference"] or below > FAILED_BELOW:
        return Guard(
            "reference",
            f"Debiasing failed: AUROC {areas['debiased']:.3f} on tuning patients against {areas['reference']:.3f} "
            f"without it. The model without debiasing is used.",
            figures,
            failed=True,
        )
    cost = (
        f" On tuning patients, who share the bias, it ranks {below:.3f} AUROC worse; that may be removed bias or removed "
        f"signal."
        if below > WARN_BELOW
        else ""
    )
    told = fitted["debiased"].told
    if debiased.streams is not None and debiased.streams.margin and not any(nats > 0 for nats in told.nats):
        what = (
            f"the declared suspects ({', '.join(told.suspects)}) tell" if told.suspects else "no declared suspect tells"
        )
        return Guard(
            "reference",
            f"On training patients {what.replace('tell', 'tell nothing' if told.suspects else 'tells')} of the outcome: "
            f"there is nothing to adjust for. The model without debiasing is used.",
            figures,
        )
    parts = environment_folds(graph, folds)
    if parts:
        found = _left_out(graph, reference, debiased, parts, folder, resume, settings, on_epoch, left_out_reference)
        where = "in environments left out of training"
    else:
        found = _weighted(graph, debiased.suspects, tuning_rows, scores)
        where = "on tuning patients weighted so that the suspects tell nothing of the outcome"
    return _verdict(found, where, figures, cost)


def _verdict(found: Concordance, where: str, figures: dict[str, float], cost: str) -> Guard:
    if not found.pairs:
        words = "There are no two patients to compare the models by; the model without debiasing is used."
        return Guard("reference", words, figures)
    evidence = {**asdict(found), "difference": found.difference, "where": where}
    figure = (
        f"Concordance {where}: {found.other:.3f} with debiasing, {found.reference:.3f} without "
        f"({found.difference:+.3f}, 90 % interval {found.low:+.3f} to {found.high:+.3f})."
    )
    if found.difference >= LEAST_GAIN:
        strength = "helps there" if found.low > 0 else "seems to help there, though chance is not excluded"
        words = f"{figure} Debiasing {strength}, and the debiased model is used.{cost}"
        return Guard("debiased", words, figures, evidence)
    reason = "Debiasing harms there" if found.high < 0 else "There is no evidence that debiasing helps"
    return Guard("reference", f"{figure} {reason}; the model without debiasing is used.{cost}", figures, evidence)


def _left_out(
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


def _weighted(graph: HeteroData, suspects: tuple[str, ...], rows: Tensor, scores: Mapping[str, Floats]) -> Concordance:
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


def _area(y: Tensor, scores: Floats) -> float:
    """AUROC averaged over outcomes or classes that have both labels; NaN when none has."""
    labels, positive = _targets(y, scores), _positive(y, scores)
    found = []
    for column in range(labels.shape[1]):
        known = labels[:, column] >= 0
        if 0 < labels[known, column].sum() < known.sum():
            found.append(roc_auc_score(labels[known, column], positive[known, column]))
    return float(np.mean(found)) if found else math.nan
