"""A metric: what it is called, how it is computed, what it needs, and where reports show it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gdsfd.errors import InputError
from gdsfd.evaluation.metrics.formulas import Floats
from gdsfd.registry import Registry

__all__ = ["METRICS", "Metric", "Needs", "Sample", "built_in_metrics", "find_metrics", "metrics_beside_built_in"]

#: What a metric cannot do without: labelled patients, both classes, positives, negatives, or flagged patients. One
#: that needs ``classes`` is of a whole multi-class outcome and not of one class against the rest.
Needs = Literal["labels", "both classes", "positives", "negatives", "flagged", "classes"]


@dataclass(frozen=True)
class Sample:
    """Labelled patients as a metric sees them.

    Args:
        y: Labels, 0 or 1; [n].
        p: Probabilities; [n].
        threshold: Patients at or above it are flagged; NaN where none was fixed.
        cluster: Number of each patient's subject; [n]. Intervals need it.
        level: Coverage of the interval.
        resampled: The metric in resamples of subjects; [R].
    """

    y: Floats
    p: Floats
    threshold: float = math.nan
    cluster: NDArray[np.int64] | None = None
    level: float = 0.95
    resampled: Floats | None = None

    @property
    def flagged(self) -> Floats:
        """1 for patients at or above the threshold, else 0; NaN without a threshold; [n]."""
        if math.isnan(self.threshold):
            return np.full_like(self.p, np.nan)
        return (self.p >= self.threshold).astype(np.float64)


@dataclass(frozen=True)
class Metric:
    """One metric of a yes/no target. All there is to say of it stands here, once.

    A metric is a ratio of two sums over patients (``ratio``), or a function of the ranking (``point`` and ``ranking``).

    Args:
        name: What ``metrics.json`` and tables of figures call it.
        label: What pages call it.
        ratio: Sample -> numerator and denominator of each patient, both [n]; the metric is the sum of the one over the
            sum of the other, undefined where that is 0.
        point: Sample -> its value, where it is no ratio.
        ranking: Labels [n], probabilities [n], weights [r, n] -> name -> its value under each set of weights [r]. One
            function may give several metrics, which then share one sort.
        interval: Metric, value and sample -> low end, high end, and why there is none (or nothing). None: no interval.
        interval_method: The interval in words.
        needs: What it cannot do without.
        at_threshold: Whether it depends on the threshold that was fixed on tuning patients.
        fewest: Fewest subjects with, and without, the outcome for an interval.
        higher_is_better: None where neither direction is better.
        digits: After the decimal point, on pages.
        as_percent: Whether pages show it as a percentage.
        compared: Whether models are compared by it.
        in_slices: Whether it is given for every slice.
        in_gaps: Whether its spread over environments and groups is given.
        phrase: Of one at the threshold: what pages say of it, longer than the label.
    """

    name: str
    label: str
    ratio: Callable[[Sample], tuple[Floats, Floats]] | None = None
    point: Callable[[Sample], float] | None = None
    ranking: Callable[[Floats, Floats, Floats], Mapping[str, Floats]] | None = None
    interval: Callable[[Metric, float, Sample], tuple[float, float, str]] | None = None
    interval_method: str = "none"
    needs: Needs = "labels"
    at_threshold: bool = False
    fewest: int = 5
    higher_is_better: bool | None = True
    digits: int = 3
    as_percent: bool = False
    compared: bool = False
    in_slices: bool = False
    in_gaps: bool = False
    phrase: str = ""

    def __post_init__(self) -> None:
        if self.ratio is None and (self.point is None or self.ranking is None):
            raise InputError(f"metric {self.name!r}: expected `ratio`, or `point` and `ranking`")

    @property
    def declared_in(self) -> str:
        """The module its formula is from: by that a plug-in's metric is told from a built-in one."""
        return str(getattr(self.ratio or self.point, "__module__", type(self).__module__))

    def value(self, sample: Sample) -> float:
        """The metric of a sample; NaN where it is undefined."""
        if self.point is not None:
            return self.point(sample) if len(sample.y) else math.nan
        assert self.ratio is not None
        numerator, denominator = self.ratio(sample)
        bottom = float(denominator.sum())
        return float(numerator.sum()) / bottom if bottom > 0 else math.nan


#: Metrics by name. A plug-in declares one with ``METRICS.register("f1")(Metric("f1", ...))``.
METRICS: Registry[Metric] = Registry("metric", built_in=["gdsfd.evaluation.metrics.built_in"])


def built_in_metrics() -> tuple[Metric, ...]:
    """The package's own metrics of one target, in the order of files and tables."""
    own = [METRICS.find(name) for name in METRICS.names() if METRICS.plugin_of(name) is None]
    return tuple(metric for metric in own if metric.needs != "classes")


def find_metrics(metrics: Iterable[str | Metric]) -> tuple[Metric, ...]:
    """Metrics by name; those that are metrics already are left as they are.

    Raises:
        InputError: No metric has that name.
    """
    return tuple(METRICS.find(one, "metrics") if not isinstance(one, Metric) else one for one in metrics)


def metrics_beside_built_in(metrics: Iterable[str | Metric] | None) -> tuple[Metric, ...]:
    """What an evaluation gives beside the built-in metrics.

    Args:
        metrics: Names or metrics; None: all that plug-ins have registered.

    Raises:
        InputError: A name is unknown, stands twice, or that of another built-in metric.
    """
    if metrics is None:
        return tuple(METRICS.find(name) for name in METRICS.names() if METRICS.plugin_of(name) is not None)
    if isinstance(metrics, (str, Metric)):
        metrics = [metrics]
    own = {METRICS.find(name) for name in METRICS.names() if METRICS.plugin_of(name) is None}
    found = [metric for metric in find_metrics(metrics) if metric not in own]
    names = [metric.name for metric in found]
    taken = {metric.name for metric in own} | {"ece", "ece_debiased", "ece_by_chance"}
    for name in names:
        if name in taken or names.count(name) > 1:
            raise InputError(f"metrics: the name {name!r} is taken by another metric; choose another")
    return tuple(found)
