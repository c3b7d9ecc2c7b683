"""Whether debiasing helped: both networks of a model on the same patients, and what its codes know."""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.diagnostics.mask_recovery import MaskRecovery, recover_masks
from gdsfd.evaluation.diagnostics.probes import Probes, probe_streams
from gdsfd.evaluation.metrics.bootstrap import SubjectBootstrap
from gdsfd.evaluation.metrics.estimate import Estimate
from gdsfd.evaluation.metrics.metric_set import MetricSet, difference, macro, score
from gdsfd.evaluation.metrics.operating_point import OperatingPoint
from gdsfd.evaluation.targets import rows_of_split, targets_of
from gdsfd.nn.losses import probabilities
from gdsfd.simulation.truth import Truth
from gdsfd.training.run_record.run_record import outcome_entropy

if TYPE_CHECKING:
    from gdsfd.training.debiaser import Debiaser

__all__ = ["BothNetworks", "Debiasing", "judge_debiasing"]

#: Figures given of both networks.
FIGURES = ("auroc", "auprc")
#: Patients beyond this many are sampled for probes.
MOST_PROBED = 1500


@dataclass(frozen=True)
class BothNetworks:
    """The two networks of a model on one split.

    Args:
        split: Its name.
        patients: Its patients.
        labelled: Those with a known outcome (any of those the means are over, with several outcomes).
        reference: Figures of the network without debiasing; with several outcomes or classes their mean.
        debiased: Of the other.
        difference: ``debiased`` less ``reference``, on the same resamples of subjects.
        new_environments: Share of the patients whose environment no training patient has; NaN where none is declared.
        practice: What the biased part would add to a prediction, mean size in nats of log-odds; None where the mode has
            no such part beside a finished prediction.
        together: AUROC of the prediction with it added; None likewise.
    """

    split: str
    patients: int
    labelled: int
    reference: dict[str, Estimate]
    debiased: dict[str, Estimate]
    difference: dict[str, Estimate]
    new_environments: float
    practice: float | None = None
    together: Estimate | None = None

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able copy."""
        parts = {name: getattr(self, name) for name in ("reference", "debiased", "difference")}
        return {
            "patients": self.patients,
            "labelled": self.labelled,
            "new_environments": self.new_environments,
            "practice": self.practice,
            "together": self.together.to_dict() if self.together is not None else None,
            **{name: {key: one.to_dict() for key, one in part.items()} for name, part in parts.items()},
        }


@dataclass(frozen=True)
class Debiasing:
    """What a report says of debiasing.

    Args:
        debias: The mode.
        predicts: Which network the report's figures are of: ``debiased`` or ``reference``.
        guard: The guard's verdict, as a dict.
        streams: Whether there are two streams.
        declared: The suspects as they were declared.
        found: Those that the training patients have; empty where the mode does not read suspects.
        reads_suspects: Whether the mode reads suspects.
        tells: Outcome -> nats by which the suspects lower the cross-entropy of training labels, out of fold.
        uncertainty: Outcome -> entropy of the training labels in nats; NaN where the graph has none.
        both: The networks, split by split.
        probes: Of the first split; None where they were not asked for.
        masks: Of a simulated cohort; else None.
        reads_biased: Whether predictions read the patient's biased code too.
    """

    debias: str
    predicts: str
    guard: dict[str, Any]
    streams: bool
    declared: tuple[str, ...]
    found: tuple[str, ...]
    reads_suspects: bool
    tells: dict[str, float]
    uncertainty: dict[str, float]
    both: tuple[BothNetworks, ...]
    probes: Probes | None = None
    masks: MaskRecovery | None = None
    reads_biased: bool = False

    @property
    def forced(self) -> bool:
        """Whether somebody chose another network than the guard."""
        return bool(self.predicts != self.guard["choice"])

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able copy, for ``metrics.json``."""
        return {
            "debias": self.debias,
            "predicts": self.predicts,
            "forced": self.forced,
            "guard": self.guard,
            "suspects": {
                "declared": list(self.declared),
                "found": list(self.found),
                "tell_nats": self.tells,
                "outcome_nats": self.uncertainty,
            },
            "splits": {one.split: one.to_dict() for one in self.both},
            "probes": self.probes.to_dict() if self.probes is not None else None,
            "mask_recovery": self.masks.to_dict() if self.masks is not None else None,
        }


def judge_debiasing(
    model: Any,
    graph: Any,
    splits: Sequence[str],
    rules: EvaluationConfig,
    truth: Truth | None = None,
    probes: bool = True,
) -> Debiasing | None:
    """Compares a model's two networks and probes its codes.

    Args:
        model: Any model. Which of its networks predicts is left as it is.
        graph: The graph.
        splits: Splits to judge on; the first one's patients are probed.
        rules: How figures are made.
        truth: Of a simulated cohort.
        probes: Whether to probe.

    Returns:
        None for a model that has no debiased network.
    """
    from gdsfd.training.debiaser import Debiaser

    if not isinstance(model, Debiaser) or model.guard is None or "debiased" not in model.networks:
        return None
    assert model.streams is not None
    dual, record = model.streams.streams or model.streams.remainder, model.record
    tells, uncertainty = _tells(model, record.uncertainty if record is not None else outcome_entropy(graph))
    return Debiasing(
        debias=model.debias,
        predicts=model.choice,
        guard=model.guard.to_dict(),
        streams=dual,
        declared=tuple(model.suspects_),
        found=tuple(model.training.get("suspects_found", ())),
        reads_suspects=model.streams.uses_suspects,
        tells=tells,
        uncertainty=uncertainty,
        both=tuple(_both(model, graph, split, rules) for split in splits),
        probes=probe_streams(model, graph, splits[0], truth, most=MOST_PROBED) if probes else None,
        masks=recover_masks(model, graph, truth, splits[0]) if truth is not None and probes and dual else None,
        reads_biased=model.streams.streams and model.streams.head == "joint" and model.streams.evaluate_with == "own",
    )


def _both(model: Debiaser, graph: Any, split: str, rules: EvaluationConfig) -> BothNetworks:
    rows = rows_of_split(graph, split)
    subjects = np.asarray(graph["patient"].subject, dtype=str)[rows]
    bootstrap = SubjectBootstrap(subjects.tolist(), rules.resamples, rules.seed)
    scored: dict[str, MetricSet] = {}
    answers = {which: copy(model).use(which).predict_proba(graph, split=split) for which in ("reference", "debiased")}
    practice = None
    if model.biased_ is not None:
        said = model.log_odds(graph, split=split)
        practice = float(np.abs(_centred(said["biased"], model.biased_.multiclass)).mean()) if len(rows) else math.nan
        both = torch.from_numpy(said["causal"] + said["biased"])
        answers["together"] = probabilities(both, model.biased_.multiclass).numpy()
    for which, answer in answers.items():
        targets = targets_of(graph, rows, answer, f"{which}, split {split!r}")
        point = OperatingPoint(math.nan, rules.sensitivity, reason="no threshold here")
        parts = [score(one, bootstrap, point, rules.level, metrics=FIGURES) for one in targets]
        scored[which] = macro(parts, targets)
    return BothNetworks(
        split=split,
        patients=len(rows),
        labelled=scored["debiased"].n,
        reference={name: scored["reference"][name] for name in FIGURES},
        debiased={name: scored["debiased"][name] for name in FIGURES},
        difference={name: difference(scored["debiased"], scored["reference"], name) for name in FIGURES},
        new_environments=_new_environments(model, graph, rows),
        practice=practice,
        together=scored["together"]["auroc"] if "together" in scored else None,
    )


def _centred(logits: Any, multiclass: bool) -> Any:
    """Logits, of classes without what is the same for all of them."""
    return logits - logits.mean(1, keepdims=True) if multiclass else logits


def _new_environments(model: Debiaser, graph: Any, rows: Any) -> float:
    """Share of patients from environments without a training patient; the model keeps which have some."""
    environment = graph["patient"].get("environment")
    if environment is None or not len(rows):
        return math.nan
    names = np.asarray(environment, dtype=object).astype(str)
    splits = np.asarray(graph["patient"].split, dtype=str)
    record = model.record
    trained = record.cohort.get("environments", []) if record is not None else np.unique(names[splits == "train"])
    return float((~np.isin(names[rows], list(trained))).mean()) if len(trained) else math.nan


def _tells(model: Any, uncertainty: dict[str, float]) -> tuple[dict[str, float], dict[str, float]]:
    """What suspects tell of each outcome, and its uncertainty; of a time to an event the means over its intervals."""
    schema, nats = model.schema, model.training.get("suspects_tell", ())
    if schema is None:
        return {}, uncertainty
    names = [outcome.name for outcome in schema.outcomes]
    if schema.survival is None or not nats:
        return dict(zip(names, nats)), uncertainty
    name = f"{schema.survival.name} in an interval"
    return {name: float(np.mean(nats))}, {name: float(np.mean([uncertainty[one] for one in names]))}
