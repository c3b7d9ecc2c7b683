"""All figures of one split: several models, side by side on the same patients and the same resamples."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch_geometric.data import HeteroData

from gdsfd.errors import InputError, cell_text
from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.intervals.effective_size import effective_size
from gdsfd.evaluation.intervals.of_metric import few_words
from gdsfd.evaluation.intervals.shares import share_interval
from gdsfd.evaluation.metrics.bootstrap import SubjectBootstrap
from gdsfd.evaluation.metrics.curves import curves_of
from gdsfd.evaluation.metrics.estimate import Estimate
from gdsfd.evaluation.metrics.formulas import Floats
from gdsfd.evaluation.metrics.metric import METRICS, Metric, built_in_metrics
from gdsfd.evaluation.metrics.metric_set import (
    FEWEST_RESAMPLES,
    MetricSet,
    calibration_figures,
    difference,
    macro,
    score,
)
from gdsfd.evaluation.metrics.operating_point import OperatingPoint, choose_threshold
from gdsfd.evaluation.subgroups.gaps import Gap, gaps_of
from gdsfd.evaluation.subgroups.slices import Slice, score_slices, slices_of
from gdsfd.evaluation.targets import Target, rows_of_split, target_names, targets_of, task_of

__all__ = [
    "ModelResult",
    "ProbabilisticModel",
    "SplitResult",
    "assess",
    "check_judgeable",
    "compared_metrics",
    "thresholds_of",
]


def compared_metrics(rules: EvaluationConfig, classes: bool) -> tuple[Metric, ...]:
    """Metrics that models are compared by.

    Args:
        rules: Says which metrics there are.
        classes: Whether the outcome has several classes.
    """
    accuracy = (METRICS.find("accuracy"),) if classes else ()
    return tuple(metric for metric in built_in_metrics() + accuracy + rules.metrics if metric.compared)


class ProbabilisticModel(Protocol):
    """Anything that can be judged."""

    def predict_proba(self, graph: Any, split: str | None = None, ids: Sequence[str] | None = None) -> Any:
        """Probabilities, rows in the order of ``graph["patient"].id``."""


def check_judgeable(model: Any, graph: Any, where: str = "") -> None:
    """Makes sure that a model can be asked for the patients of a graph.

    Args:
        model: What is to be judged.
        graph: On which patients.
        where: Begins the message.

    Raises:
        InputError: Says what is missing, and what to do.
    """
    if not isinstance(graph, HeteroData) or "schema" not in graph:
        raise InputError(f"evaluate: expected a graph of build_graph or load_graph, got {type(graph).__name__}")
    ask = getattr(model, "predict_proba", None)
    wanted = "predict_proba(graph, split=...)"
    if not callable(ask) or isinstance(model, type):
        raise InputError(f"evaluate: {where}expected a fitted model with {wanted}, got {cell_text(model)}")
    try:
        inspect.signature(ask).bind(graph, split="test")
    except TypeError:
        takes = ", ".join(inspect.signature(ask).parameters)
        raise InputError(
            f"evaluate: {where}expected a model with {wanted}, but predict_proba of {type(model).__name__} takes "
            f"({takes}). A model of a table has to be put into a class whose predict_proba(graph, split=None, "
            "ids=None) flattens the graph (gdsfd.graph.flatten.flatten)"
        ) from None


@dataclass(frozen=True)
class ModelResult:
    """One model on one split.

    Args:
        overall: The figures over all targets (their plain mean when there are several).
        targets: The figures of each target.
        points: The threshold of each target, fixed on tuning rows.
        curves: ROC, precision-recall and calibration curves of each target.
        slices: The figures of each slice, in the order of ``SplitResult.slices``, for each target.
        gaps: The gaps between slices, for each target.
    """

    overall: MetricSet
    targets: list[MetricSet]
    points: list[OperatingPoint]
    curves: list[dict[str, Any]]
    slices: list[list[MetricSet]]
    gaps: list[list[Gap]]


@dataclass(frozen=True)
class SplitResult:
    """All models on one split.

    Args:
        split: Its name.
        n: Patients.
        subjects: Subjects.
        names: The targets' names.
        arms: Model -> its figures; the model judged comes first.
        differences: Model -> figure -> the judged model's figure less that model's; of the mean over targets.
        slices: The slices, for each target.
        slice_differences: Model -> AUROC differences, slice by slice, for each target.
    """

    split: str
    n: int
    subjects: int
    names: tuple[str, ...]
    arms: dict[str, ModelResult]
    differences: dict[str, dict[str, Estimate]]
    slices: list[list[Slice]]
    slice_differences: dict[str, list[list[Estimate]]] = field(default_factory=dict)

    @property
    def model(self) -> ModelResult:
        """The model judged."""
        return next(iter(self.arms.values()))


def thresholds_of(
    graph: Any, models: Mapping[str, ProbabilisticModel], rules: EvaluationConfig
) -> dict[str, list[OperatingPoint]]:
    """Fixes every model's thresholds on the tuning rows, one per target.

    Args:
        graph: The graph.
        models: The models.
        rules: The sensitivity aimed at.
    """
    splits = np.asarray(graph["patient"].split, dtype=str)
    rows = np.flatnonzero(splits == "tuning")
    points: dict[str, list[OperatingPoint]] = {}
    for name, model in models.items():
        if len(rows):
            targets = targets_of(graph, rows, model.predict_proba(graph, split="tuning"), f"{name}, split 'tuning'")
        else:
            empty = np.empty(0)
            targets = [Target(one, empty.astype(np.int64), empty, empty) for one in target_names(graph.schema)]
        points[name] = [choose_threshold(one.y, one.p, rules.sensitivity, rules.min_per_class) for one in targets]
    return points


def assess(
    graph: Any,
    models: Mapping[str, ProbabilisticModel],
    points: Mapping[str, list[OperatingPoint]],
    split: str,
    rules: EvaluationConfig,
    on_model: Callable[[], object] | None = None,
) -> SplitResult:
    """Judges models on a split.

    Args:
        graph: The graph.
        models: The models; the first is the one judged, the others are what it is compared with.
        points: From :func:`thresholds_of`.
        split: The split.
        rules: How figures are made.
        on_model: Called when a model's figures are there, resamples and all.

    Raises:
        InputError: The split has no patient, or a model's answer has a wrong shape or holds no probabilities.
    """
    rows = rows_of_split(graph, split)
    subjects = np.asarray(graph["patient"].subject, dtype=str)[rows]
    bootstrap = SubjectBootstrap(subjects.tolist(), rules.resamples, rules.seed)
    answers = {name: np.asarray(model.predict_proba(graph, split=split)) for name, model in models.items()}
    asked = {name: targets_of(graph, rows, answer, f"{name}, split {split!r}") for name, answer in answers.items()}
    first = next(iter(asked.values()))
    slices = [slices_of(graph, rows, target, rules) for target in first]
    arms: dict[str, ModelResult] = {}
    for name, targets in asked.items():
        arms[name] = _arm(targets, points[name], slices, bootstrap, rules)
        if on_model is not None:
            on_model()
    if task_of(graph.schema) == "multi-class":
        for name, answer in answers.items():
            _add_accuracy(arms[name].overall, answer, graph["patient"].y.numpy()[rows], bootstrap, rules)
    judged, *others = arms
    ours = arms[judged]
    compared = compared_metrics(rules, task_of(graph.schema) == "multi-class")
    return SplitResult(
        split=split,
        n=len(rows),
        subjects=bootstrap.counts.shape[1],
        names=tuple(target.name for target in first),
        arms=arms,
        differences={
            other: {metric.name: difference(ours.overall, arms[other].overall, metric.name) for metric in compared}
            for other in others
        },
        slices=slices,
        slice_differences={
            other: [
                [difference(mine, its, "auroc") for mine, its in zip(own, theirs)]
                for own, theirs in zip(ours.slices, arms[other].slices)
            ]
            for other in others
        },
    )


def _arm(
    targets: list[Target],
    points: list[OperatingPoint],
    slices: list[list[Slice]],
    bootstrap: SubjectBootstrap,
    rules: EvaluationConfig,
) -> ModelResult:
    scored = []
    for target, point in zip(targets, points):
        own = score(target, bootstrap, point, rules.level, metrics=rules.all_metrics)
        own.estimates.update(calibration_figures(target, bootstrap, rules))
        scored.append(own)
    by_slice = [
        score_slices(own, target, bootstrap, point, rules) for own, target, point in zip(slices, targets, points)
    ]
    return ModelResult(
        overall=macro(scored, targets),
        targets=scored,
        points=points,
        curves=[curves_of(target, rules.bins) for target in targets],
        slices=by_slice,
        gaps=[
            gaps_of(own, found, target, bootstrap.code, point.threshold, rules.level, rules.all_metrics)
            for own, found, target, point in zip(slices, by_slice, targets, points)
        ],
    )


def _add_accuracy(
    overall: MetricSet, answer: Floats, y: NDArray[np.int64], bootstrap: SubjectBootstrap, rules: EvaluationConfig
) -> None:
    """Share of labelled patients whose most probable class is the right one."""
    labelled = np.flatnonzero(y >= 0)
    right = (answer[labelled].argmax(1) == y[labelled]).astype(np.float64)
    if not len(right):
        overall.estimates["accuracy"] = Estimate.undefined("no labelled patient")
        return
    value, cluster = float(right.mean()), bootstrap.code[labelled]
    overall.resampled["accuracy"] = bootstrap.means(right, labelled)
    reason = few_words(cluster, "labelled")
    if bootstrap.resamples < FEWEST_RESAMPLES:
        reason = f"no interval: fewer than {FEWEST_RESAMPLES} resamples"
    ends = (math.nan, math.nan) if reason else share_interval(value, effective_size(right, cluster), rules.level)
    overall.estimates["accuracy"] = Estimate(value, *ends, reason)
