"""The guard: selects the debiased model or ERM, by evidence from patients that neither was trained on."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch_geometric.data import HeteroData

from gdsfd.graph.loader import rows_of
from gdsfd.graph.patient_store import PatientStore
from gdsfd.training.arm import Arm, FittedArm
from gdsfd.training.fits_at_once import Fits, FitsHere
from gdsfd.training.inference import predict
from gdsfd.training.model_selection.compared_patients import ComparedPatients
from gdsfd.training.model_selection.concordance import FEWEST, Concordance
from gdsfd.training.model_selection.evidence import OUTPUT, mean_area, strata_weights, tuning_weights
from gdsfd.training.model_selection.leave_one_environment_out import environment_folds, leave_one_environment_out
from gdsfd.training.model_selection.neutral_weights import practice_shares
from gdsfd.training.model_selection.simpler_models import (
    SimplerModel,
    compare_simpler,
    drawn_places,
    scores_left_out,
    scores_of_folds,
    simpler_words,
)
from gdsfd.training.run_record.rivals import told_the_same

__all__ = ["Choice", "Guard", "select_model"]

Choice = Literal["reference", "debiased"]

#: Tuning AUROC below which, or this far below ERM's, a debiased model has failed; from METHODS 7.6, reading 5.
FAILED_AUROC = 0.5
FAILED_BELOW = 0.10
WARN_BELOW = 0.03
#: Gain in concordance from which the debiased model is used, and loss in what was left out from which it is not.
LEAST_GAIN = 0.005


@dataclass(frozen=True)
class Guard:
    """A verdict with its reasons.

    Args:
        choice: What predictions come from, unless the user forces the other.
        explanation: The reason in words.
        tuning: AUROC of both models on the tuning patients.
        evidence: Concordance of both, on patients neither was trained on: in environments left out of training in turn,
            weighted so that the environment tells nothing of the outcome, or on tuning patients, weighted so that the
            suspects tell nothing of it. Empty when neither could be worked out. ``simpler``: what simple models give
            there, where asked for (:class:`~gdsfd.training.model_selection.simpler_models.SimplerModel`).
        failed: Whether the debiased model failed grossly.
    """

    choice: Choice
    explanation: str
    tuning: dict[str, float] = field(default_factory=dict)
    evidence: dict[str, Any] = field(default_factory=dict)
    failed: bool = False

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able copy, as ``model.json`` has it."""
        stored = asdict(self)
        return {"choice": stored.pop("choice"), "words": stored.pop("explanation"), **stored}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Guard:
        """Reads what :meth:`to_dict` gave."""
        return cls(**{"explanation" if key == "words" else key: value for key, value in stored.items()})


def select_model(
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
    store: PatientStore | None = None,
    fits: Fits | None = None,
    simpler: bool = False,
) -> Guard:
    """Compares a debiased model with its reference without looking at any test patient.

    The debiased model is used where it gains at least :data:`LEAST_GAIN` and loses as much in nothing that was left out
    (with :data:`~gdsfd.training.model_selection.concordance.FEWEST` patients of each label): a gain that some
    environments have and others pay for is no removed bias. The words say how sure it is. A model that averages found
    strata out, which are a practice by their own evidence, is used unless it is shown to lose as much (the upper end of
    the interval): the weights below leave a practice inside coarse strata, so that such a comparison leans to the
    reference. The gain is in concordance (AUROC) in environments left out in turn, of models trained without them (one
    member each, to save time), among patients weighted so that the environment tells nothing of the outcome, nor strata
    where those that are found are a practice: inside an environment that was left out the bias holds as well. Where no
    environment is declared it is that of the fitted models on tuning patients, weighted so that the declared suspects
    (or strata that are a practice) tell nothing of the outcome: right when these are what biases, and when there are
    enough tuning patients. In-distribution figures cannot tell removed bias from removed signal; they only catch
    failure, and where strata are a practice only what is one among patients weighted so that strata tell nothing, too:
    a strong practice that was taken out costs more than what counts as failure otherwise.

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
        store: The graph's, which all fits share; default: a new one.
        fits: What the further fits are asked of; default: they are done here, one after the other.
        simpler: Whether simple models that are told the same are fitted and compared there, too.
    """
    y = graph["patient"].y
    tuning_rows = rows_of(graph, "tuning")
    signal, streams = fitted["debiased"].suspect_signal, debiased.streams
    looked, used = streams is not None and streams.finds_strata, signal.strata.get("used", False)
    store = PatientStore(graph) if store is None else store
    scores = {name: predict(arm.network, store, tuning_rows).probability for name, arm in fitted.items()}
    areas = {name: mean_area(y[tuning_rows], score) for name, score in scores.items()}
    figures = {f"{name}_auroc": area for name, area in areas.items()}
    below = areas["reference"] - areas["debiased"]
    if streams is not None and looked and not used:  # left-out fits are of what was delivered; one look is enough
        debiased = replace(debiased, streams=replace(streams, found_strata="no"))

    @cache
    def practice() -> NDArray[np.float64] | None:  # seconds; often not asked for
        return None if looked and not used else practice_shares(graph, debiased.suspects, debiased.seed, used)

    if failed(areas) and failed(areas_without_strata(y[tuning_rows], tuning_rows, practice(), scores) or areas):
        return Guard(
            "reference",
            f"Debiasing failed: AUROC {areas['debiased']:.3f} on tuning patients against {areas['reference']:.3f} "
            f"without it. The model without debiasing is used.",
            figures,
            failed=True,
        )
    cost = ""
    if below > WARN_BELOW:
        cost = f" On tuning patients, who share the bias, it loses {below:.3f} AUROC: removed bias, or removed signal."
    adjusts = streams is not None and (
        streams.margin or streams.has_objective or streams.weight == "stratum" or bool(streams.crossed)
    )
    if adjusts and not used and not any(gain > 0 for gain in signal.cross_entropy_gain):
        which = (
            f"the declared suspects ({', '.join(signal.suspects)}) tell"
            if signal.suspects
            else "no suspect in the graph tells"
        )
        what = "nothing" if signal.suspects else "anything"
        words = f"On training patients {which} {what} of the outcome: there is nothing to adjust for. "
        return Guard("reference", f"{words}The model without debiasing is used.", figures)
    parts = environment_folds(graph, folds)
    strata = practice()
    kinds = f"the {strata.shape[1]} strata of the practice found" if strata is not None else "the suspects"
    fits = FitsHere(graph, resume, settings, store) if fits is None else fits
    pairs = told_the_same(used) if simpler and signal.suspects else {}
    told = (debiased.seed, signal.suspects, pairs)
    if parts:
        beside = scores_of_folds(parts, fits, *told) if pairs else dict
        patients = leave_one_environment_out(
            graph, reference, debiased, parts, folder, fits, on_epoch, left_out_reference, store, strata
        )
        where = "in environments left out of training"
        if strata is not None:
            where += f", among patients weighted so that {kinds} tell nothing of the outcome"
    else:
        rows = {name: rows_of(graph, name) for name in ("train", "tuning")}
        (places,) = drawn_places([len(tuning_rows)])
        beside = partial(scores_left_out, graph, rows, tuning_rows[torch.from_numpy(places)], *told)
        subject = [str(graph["patient"].subject[int(row)]) for row in tuning_rows]
        weight = tuning_weights(graph, debiased.suspects, tuning_rows, strata)
        patients = ComparedPatients(y[tuning_rows], scores, [""] * len(subject), subject, weight)
        where = f"on tuning patients weighted so that {kinds} tell nothing of the outcome"
    verdict = partial(verdict_of, by_fold=bool(parts), practice=used and strata is not None)
    guard = verdict(patients.gain(), where, figures, cost)
    if not pairs or not guard.evidence:
        return guard
    choice = lambda found: verdict(found, where, {}, "").choice  # noqa: E731
    some = patients.taken(_places_in_all([len(fold.left_out) for fold in parts] or [len(tuning_rows)]))
    single = bool(parts) and debiased.config.members != 1
    sentence = partial(simpler_words, network="one member of the network") if single else simpler_words
    return _with_simpler(guard, some.with_scores(beside()), pairs, choice, sentence)


def _places_in_all(sizes: list[int]) -> NDArray[np.int64]:
    """Places among all parts, one after the other, of those whom simple models are asked about."""
    starts = np.cumsum([0, *sizes[:-1]])
    return np.concatenate([start + places for start, places in zip(starts, drawn_places(sizes))])


def _with_simpler(
    guard: Guard,
    patients: ComparedPatients,
    pairs: Mapping[str, str],
    choice: Callable[[Concordance], str],
    sentence: Callable[[list[SimplerModel]], str],
) -> Guard:
    """The verdict with what simple models give on the same patients; the choice stays."""
    models = list(compare_simpler(patients, guard.choice, pairs, choice))
    return replace(
        guard,
        explanation=guard.explanation + sentence(models),
        evidence={**guard.evidence, "simpler": [each.to_dict() for each in models]},
    )


def failed(areas: Mapping[str, float]) -> bool:
    """Whether the debiased model's AUROC is that of a failure."""
    return (
        areas["debiased"] < FAILED_AUROC <= areas["reference"] or areas["reference"] - areas["debiased"] > FAILED_BELOW
    )


def areas_without_strata(
    y: Tensor, rows: Tensor, share: NDArray[np.float64] | None, scores: Mapping[str, NDArray[np.float64]]
) -> dict[str, float] | None:
    """AUROC of both models among patients weighted so that strata tell nothing; None where none are a practice."""
    if share is None:
        return None
    weight = strata_weights(y, share[rows.numpy()])
    return {name: mean_area(y, score, weight) for name, score in scores.items()}


def _short(names: str, most: int = 3) -> str:
    """The environments of a fold, the first few of many."""
    known = names.split(", ")
    return names if len(known) <= most else f"{', '.join(known[: most - 1])} and {len(known) - most + 1} more"


def _was(names: str) -> str:
    return "were" if ", " in names else "was"


def _losing(found: Concordance) -> dict[str, float]:
    """What was left out -> its difference, where that is a loss of :data:`LEAST_GAIN`; outcomes by their pairs."""
    by_fold: dict[str, list[tuple[float, int]]] = {}
    for name, (reference, other, pairs) in found.groups.items():
        by_fold.setdefault(name.split(OUTPUT)[0], []).append((other - reference, pairs))
    known = {
        name: float(np.average([gain for gain, _ in each], weights=[pairs for _, pairs in each]))
        for name, each in by_fold.items()
        if sum(pairs for _, pairs in each) >= FEWEST**2
    }
    return {name: gain for name, gain in known.items() if gain <= -LEAST_GAIN}


def _interval(found: Concordance) -> str:
    if (found.low, found.high) == (-1.0, 1.0):
        return f"no interval: fewer than {FEWEST} subjects with, or without, the outcome, or no spread"
    return f"95 % interval {found.low:+.3f} to {found.high:+.3f}"


def verdict_of(
    found: Concordance, where: str, figures: dict[str, float], cost: str, by_fold: bool, practice: bool
) -> Guard:
    if not found.pairs:
        words = "There are no two patients to compare the models by; the model without debiasing is used."
        return Guard("reference", words, figures)
    groups = {name: list(each) for name, each in found.groups.items()}
    evidence = {**asdict(found), "groups": groups, "difference": found.difference, "where": where}
    figure = (
        f"Concordance {where}: {found.other:.3f} with debiasing, {found.reference:.3f} without "
        f"({found.difference:+.3f}, {_interval(found)})."
    )
    if by_fold and len(groups) > 1:
        each = (f"{_short(name)} {other - reference:+.3f}" for name, (reference, other, _) in found.groups.items())
        figure += f" By what was left out: {'; '.join(each)}."
    if found.other_low <= 0.5 and (practice or found.difference >= LEAST_GAIN):
        words = (
            f"{figure} With debiasing it may be chance alone (its interval begins at {found.other_low:.3f}): what is "
            f"left once the bias is out predicts nothing that could be seen here, as when many labels are wrong. "
            f"The model without debiasing is used.{cost}"
        )
        return Guard("reference", words, figures, evidence)
    unknown = (found.low, found.high) == (-1.0, 1.0)
    harms = found.difference <= -LEAST_GAIN and (unknown or found.high <= -LEAST_GAIN)
    if practice and found.difference < LEAST_GAIN and not harms:
        shown = (
            "no difference" if abs(found.difference) < LEAST_GAIN else "a loss that may be chance, or the practice's"
        )
        words = (
            f"{figure} That is {shown}, and what was found is a practice by its own evidence: the debiased model is "
            f"used.{cost}"
        )
        return Guard("debiased", words, figures, evidence)
    losing = _losing(found) if by_fold and not practice and found.difference >= LEAST_GAIN else {}
    if losing:
        losses = " and ".join(
            f"{-loss:.3f} where {_short(name)} {_was(name)} left out" for name, loss in losing.items()
        )
        words = (
            f"{figure} The gain is not everywhere: debiasing loses {losses}. The model without debiasing is used.{cost}"
        )
        return Guard("reference", words, figures, evidence)
    if found.difference >= LEAST_GAIN:
        strength = "helps there" if found.low > 0 else "seems to help there, though chance is not excluded"
        words = f"{figure} Debiasing {strength}, and the debiased model is used.{cost}"
        return Guard("debiased", words, figures, evidence)
    reason = "Debiasing harms there" if found.high < 0 else "There is no evidence that debiasing helps"
    if found.high >= 0 and math.isfinite(found.detectable):
        reason += f" (a gain of {found.detectable:.3f} would have been noticed four times in five)"
    return Guard("reference", f"{figure} {reason}; the model without debiasing is used.{cost}", figures, evidence)
