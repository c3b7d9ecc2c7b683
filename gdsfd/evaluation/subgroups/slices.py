"""Which patients to look at apart: by environment, missingness pattern, modality and group."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.metrics.bootstrap import SubjectBootstrap
from gdsfd.evaluation.metrics.metric_set import MetricSet, score
from gdsfd.evaluation.metrics.operating_point import OperatingPoint
from gdsfd.evaluation.targets import Target
from gdsfd.graph.availability import presence_of

__all__ = ["Slice", "kind_word", "pattern_description", "score_slices", "slices_of"]

#: A slice of more patients than this gets its intervals from the first resamples only; they are narrow anyway, and a
#: hundred slices of a large cohort would take minutes.
LARGE = 5_000
RESAMPLES_OF_LARGE = 200

#: At most this many slices by number of modalities observed.
COUNT_SLICES = 4

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Slice:
    """Some patients of a split.

    Args:
        kind: ``environment``, ``pattern``, ``observed`` (number of modalities), ``modality`` or
            ``group: <attribute>``.
        name: Which one.
        mask: Over the rows of the split.
        pooled: How many small slices this one puts together; 0 for an ordinary slice.
    """

    kind: str
    name: str
    mask: Mask
    pooled: int = 0


def kind_word(kind: str) -> str:
    """A slice's kind as a reader knows it.

    Example:
        >>> kind_word("group: sex"), kind_word("environment")
        ('sex', 'environment')
    """
    return kind.removeprefix("group: ")


def slices_of(graph: Any, rows: NDArray[np.int64], target: Target, rules: EvaluationConfig) -> list[Slice]:
    """The slices of a split.

    Environments and groups that the graph knows but the split lacks are slices without patients. Environments too small
    for a figure are listed and, beside that, put together in one; patterns too small are only put together (there can
    be thousands).

    Args:
        graph: The graph.
        rows: The split's patients, as rows of the graph; [m].
        target: Labels that decide which slices are large enough.
        rules: What is large enough.
    """
    patient = graph["patient"]
    slices: list[Slice] = []
    if "environment" in patient and patient.environment is not None:
        named = _by_value("environment", patient.environment, rows)
        small = [one for one in named if not _large(one.mask, target, rules) and one.mask.any()]
        slices += sorted(named, key=lambda one: -int(one.mask.sum()))
        if len(small) > 1:
            slices.append(_pool("environment", small, "small environments"))
    presence = presence_of(graph).numpy()[rows]
    slices += _patterns(presence, graph.schema.names, target, rules)
    slices += _by_count(presence)
    for number, name in enumerate(graph.schema.names):
        slices.append(Slice("modality", f"with {name}", presence[:, number]))
        slices.append(Slice("modality", f"without {name}", ~presence[:, number]))
    for attribute, values in patient.groups.items():
        slices += _by_value(f"group: {attribute}", values, rows)
    return slices


def score_slices(
    slices: Iterable[Slice], target: Target, bootstrap: SubjectBootstrap, point: OperatingPoint, rules: EvaluationConfig
) -> list[MetricSet]:
    """The figures of every slice, NaN with a reason where it is absent, tiny or of one class."""
    limits = (rules.level, rules.min_patients, rules.min_per_class)
    fewer = bootstrap.first(RESAMPLES_OF_LARGE)
    metrics = [metric for metric in rules.all_metrics if metric.in_slices]
    scored = []
    for one in slices:
        own = target.among(one.mask)
        scored.append(score(own, fewer if len(own.y) > LARGE else bootstrap, point, *limits, metrics))
    return scored


def pattern_description(present: Sequence[bool], names: Sequence[str]) -> str:
    """A short name for a set of modalities.

    Example:
        >>> pattern_description([True, True, False], ["labs", "vitals", "notes"])
        'without notes'
        >>> pattern_description([False, False, True], ["labs", "vitals", "notes"])
        'only notes'
    """
    have = [name for name, there in zip(names, present) if there]
    lack = [name for name, there in zip(names, present) if not there]
    if not lack:
        return "complete"
    if not have:
        return "nothing observed"
    return f"without {', '.join(lack)}" if len(lack) <= len(have) else f"only {', '.join(have)}"


def _by_value(kind: str, values: Sequence[str], rows: NDArray[np.int64]) -> list[Slice]:
    every = np.asarray(values, dtype=str)
    here = every[rows]
    return [Slice(kind, str(value), here == value) for value in np.unique(every)]


def _patterns(presence: Mask, names: Sequence[str], target: Target, rules: EvaluationConfig) -> list[Slice]:
    patterns, number, counts = np.unique(presence, axis=0, return_inverse=True, return_counts=True)
    number = number.reshape(-1)
    slices = [
        Slice("pattern", pattern_description(patterns[which].tolist(), names), number == which)
        for which in np.argsort(-counts)
    ]
    large = [one for one in slices if _large(one.mask, target, rules)]
    small = [one for one in slices if not _large(one.mask, target, rules)]
    return large + (
        [_pool("pattern", small, "rarer patterns" if large else "patterns, each too rare")] if small else []
    )


def _by_count(presence: Mask) -> list[Slice]:
    """By how many modalities a patient has: with many modalities hardly any two patients share a pattern."""
    observed = presence.sum(1)
    distinct = np.unique(observed)
    if len(distinct) < 2:
        return []
    starts = (
        distinct
        if len(distinct) <= COUNT_SLICES
        else np.unique(np.quantile(observed, np.arange(COUNT_SLICES) / COUNT_SLICES, method="lower"))
    )
    slices = []
    for start, end in zip(starts, [*(starts[1:] - 1), distinct[-1]]):
        name = f"{start}" if start == end else f"{start} to {end}"
        slices.append(Slice("observed", f"{name} of {presence.shape[1]}", (observed >= start) & (observed <= end)))
    return slices


def _pool(kind: str, small: Sequence[Slice], word: str) -> Slice:
    return Slice(kind, f"{len(small)} {word}", np.logical_or.reduce([one.mask for one in small]), pooled=len(small))


def _large(mask: Mask, target: Target, rules: EvaluationConfig) -> bool:
    labels = target.among(mask).y
    positives = int(labels.sum())
    return len(labels) >= rules.min_patients and min(positives, len(labels) - positives) >= rules.min_per_class
