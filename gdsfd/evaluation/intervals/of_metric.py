"""The one place that decides which interval a metric has, or why it has none."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gdsfd.evaluation.intervals.effective_size import effective_size, subjects_of
from gdsfd.evaluation.intervals.means import mean_interval
from gdsfd.evaluation.intervals.precision import average_precision_interval
from gdsfd.evaluation.intervals.shares import share_interval
from gdsfd.evaluation.metrics.estimate import percentile_interval
from gdsfd.evaluation.metrics.metric import METRICS, Metric, Sample

__all__ = [
    "FEWEST",
    "average_precision_limits",
    "class_limits",
    "few_words",
    "interval_of",
    "mean_limits",
    "percentile_limits",
    "share_limits",
    "why_no_interval",
]

Floats = NDArray[np.float64]
Limits = tuple[float, float, str]

#: The fewest subjects with a positive patient, and with a negative one, for an interval.
FEWEST = 5

_SAME_SCORE = "all patients here have the same score"
#: What the patients are among whom a share is taken.
_AMONG = {"positives": "positive", "negatives": "negative", "flagged": "flagged"}


def why_no_interval(y: Floats, cluster: NDArray[np.int64], least: int = FEWEST) -> str:
    """Why a metric of these patients has no interval; empty when it has one.

    Subjects are counted, not patients: five patients of one subject are one observation.

    Args:
        y: Labels, 0 or 1, of those the metric rests on; [n].
        cluster: Number of each patient's subject; [n].
        least: The fewest subjects with, and without, the outcome.

    Example:
        >>> why_no_interval(np.array([1.0, 0, 0, 0, 0, 0]), np.arange(6))
        'only 1 positive patient: no interval below 5'
    """
    for value, word in ((1, "positive"), (0, "negative")):
        reason = few_words(cluster[y == value], word, least)
        if reason:
            return reason
    return ""


def few_words(cluster: NDArray[np.int64], word: str, least: int = FEWEST) -> str:
    """That there are too few patients of a kind, or that too few subjects stand behind them; empty when enough.

    Args:
        cluster: Number of the subject of each such patient.
        word: What they are: ``positive``, ``negative``, ``flagged`` ...
        least: The fewest subjects.
    """
    patients, subjects = len(cluster), subjects_of(cluster)
    if subjects >= least:
        return ""
    if not patients:
        return f"no {word} patient: no interval below {least}"
    what = f"{patients} {word} patient{'' if patients == 1 else 's'}"
    if patients == subjects:
        return f"only {what}: no interval below {least}"
    return f"only {what}, of {subjects} subject{'' if subjects == 1 else 's'}: no interval below {least} subjects"


def interval_of(
    metric: str | Metric,
    value: float,
    y: Floats,
    p: Floats,
    cluster: NDArray[np.int64],
    threshold: float = math.nan,
    level: float = 0.95,
    resampled: Floats | None = None,
) -> Limits:
    """The interval of a metric of one yes/no target.

    Args:
        metric: The metric, or its name.
        value: Its value.
        y: Labels, 0 or 1; [n].
        p: Probabilities; [n].
        cluster: Number of each patient's subject; [n].
        threshold: Patients at or above it are flagged, for the rates.
        level: Coverage.
        resampled: The metric in resamples of subjects, for ``auprc``; [R].

    Returns:
        Low and high end and an empty text, or NaN twice and the reason.
    """
    metric = METRICS.find(metric) if isinstance(metric, str) else metric
    if metric.interval is None:
        return math.nan, math.nan, f"no interval: none is known for {metric.label}"
    low, high, reason = metric.interval(metric, value, Sample(y, p, threshold, cluster, level, resampled))
    if not reason and not (math.isfinite(low) and math.isfinite(high)):
        reason = "no interval: all patients here have the same value"
    return (math.nan, math.nan, reason) if reason else (low, high, "")


def share_limits(metric: Metric, value: float, sample: Sample) -> Limits:
    """Exact binomial limits of a share: of the positives, the negatives, those flagged or all."""
    assert metric.ratio is not None
    hit, among = metric.ratio(sample)
    inside, cluster = among > 0, _clusters(sample)
    reason = few_words(cluster[inside], _AMONG.get(metric.needs, "labelled"))
    if reason:
        return math.nan, math.nan, reason
    return *share_interval(value, effective_size(hit[inside], cluster[inside]), sample.level), ""


def mean_limits(above_zero: bool) -> Callable[[Metric, float, Sample], Limits]:
    """Limits of a mean over all patients.

    Args:
        above_zero: Whether values are never negative.
    """

    def limits(metric: Metric, value: float, sample: Sample) -> Limits:
        assert metric.ratio is not None
        cluster = _clusters(sample)
        reason = why_no_interval(sample.y, cluster, metric.fewest)
        if reason:
            return math.nan, math.nan, reason
        values, fewest = metric.ratio(sample)[0], _fewest(sample.y, cluster)
        return *mean_interval(values, cluster, fewest, sample.level, above_zero=above_zero), ""

    return limits


def class_limits(
    interval: Callable[[Floats, Floats, NDArray[np.int64], float], tuple[float, float]], ranking: bool = False
) -> Callable[[Metric, float, Sample], Limits]:
    """Limits that a function of labels, scores, subjects and level gives.

    Args:
        interval: The function.
        ranking: Whether patients of one score have no ranking, and so no limits.
    """

    def limits(metric: Metric, value: float, sample: Sample) -> Limits:
        cluster = _clusters(sample)
        reason = why_no_interval(sample.y, cluster, metric.fewest)
        if not reason and ranking and np.ptp(sample.p) == 0:
            reason = _SAME_SCORE
        return (math.nan, math.nan, reason) if reason else (*interval(sample.y, sample.p, cluster, sample.level), "")

    return limits


def average_precision_limits(metric: Metric, value: float, sample: Sample) -> Limits:
    """Limits of average precision, which rests on the positives."""
    cluster = _clusters(sample)
    reason = why_no_interval(sample.y, cluster, metric.fewest)
    if not reason and np.ptp(sample.p) == 0:
        reason = _SAME_SCORE
    if reason:
        return math.nan, math.nan, reason
    fewest, positives = _fewest(sample.y, cluster), cluster[sample.y == 1]
    return *average_precision_interval(value, positives, fewest, sample.level, sample.resampled), ""


def percentile_limits(metric: Metric, value: float, sample: Sample) -> Limits:
    """Percentiles of the resamples, for metrics of one's own. Simulate their coverage before you print them."""
    reason = why_no_interval(sample.y, _clusters(sample), metric.fewest)
    if reason or sample.resampled is None:
        return math.nan, math.nan, reason or "no interval: there are no resamples"
    return *percentile_interval(sample.resampled, sample.level), ""


def _clusters(sample: Sample) -> NDArray[np.int64]:
    return sample.cluster if sample.cluster is not None else np.arange(len(sample.y))


def _fewest(y: Floats, cluster: NDArray[np.int64]) -> int:
    return min(subjects_of(cluster[y == 1]), subjects_of(cluster[y == 0]))
