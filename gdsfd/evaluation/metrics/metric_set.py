"""All figures of one target with their intervals, and differences between models on the same resamples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.intervals.combined import (
    difference_interval,
    mean_of_figures_interval,
    resampled_correlation,
)
from gdsfd.evaluation.intervals.effective_size import effective_size, subjects_of
from gdsfd.evaluation.intervals.of_metric import interval_of
from gdsfd.evaluation.metrics.bootstrap import SubjectBootstrap
from gdsfd.evaluation.metrics.calibration import calibration_line, ece, ece_by_chance, ece_debiased
from gdsfd.evaluation.metrics.estimate import Estimate
from gdsfd.evaluation.metrics.formulas import Floats, why_undefined
from gdsfd.evaluation.metrics.metric import Metric, Sample, built_in_metrics, find_metrics
from gdsfd.evaluation.metrics.operating_point import OperatingPoint
from gdsfd.evaluation.targets import Target

__all__ = ["MetricSet", "calibration_figures", "difference", "macro", "score"]


#: Below so many resamples there is no interval: how figures go together cannot be told.
FEWEST_RESAMPLES = 20


@dataclass(frozen=True)
class MetricSet:
    """Figures of one target, or of the mean over several, of one model and some patients.

    Args:
        n: Labelled patients; of a mean those with a label for any of its targets.
        positives: How many of them are positive; None for a mean over targets, which has no positives of its own.
        estimates: Figure -> estimate.
        resampled: Figure -> its value in every resample; [R].
        mean_of: The targets a mean is taken over; empty for a single target.
        shares: Share of positives of each of these targets.
        fewest: Subjects of the rarer class; of a mean the fewest of its targets.
        worth: How many independent patients the labelled ones are worth for the share of positives, as several may be
            one subject (:func:`~gdsfd.evaluation.intervals.effective_size.effective_size`); NaN of a mean.
    """

    n: int
    positives: int | None
    estimates: dict[str, Estimate]
    resampled: dict[str, Floats] = field(default_factory=dict, repr=False)
    mean_of: tuple[str, ...] = ()
    shares: tuple[float, ...] = ()
    fewest: int = 0
    worth: float = math.nan

    def __getitem__(self, name: str) -> Estimate:
        return self.estimates.get(name, Estimate.undefined("not computed"))

    @property
    def prevalence(self) -> float:
        """Share of positives, NaN of nobody; of a mean over targets the mean of theirs."""
        if self.positives is None:
            return float(np.mean(self.shares)) if self.shares else math.nan
        return self.positives / self.n if self.n else math.nan


def score(
    target: Target,
    bootstrap: SubjectBootstrap,
    point: OperatingPoint,
    level: float = 0.95,
    min_patients: int = 1,
    min_per_class: int = 1,
    metrics: Sequence[str | Metric] | None = None,
) -> MetricSet:
    """The figures of one target.

    Args:
        target: Labels and probabilities.
        bootstrap: The split's resamples.
        point: The threshold fixed on tuning rows.
        level: Coverage of the intervals.
        min_patients: The fewest labelled patients for any figure.
        min_per_class: The fewest positives and negatives for metrics that need both classes; the fewest positives, or
            negatives, for those that need one of them.
        metrics: Which metrics; default: the built-in ones.
    """
    y, p = target.y, target.p
    positives = int(y.sum())
    wanted = find_metrics(metrics) if metrics is not None else built_in_metrics()
    sample = Sample(y, p, point.threshold)
    values = {metric.name: metric.value(sample) for metric in wanted}
    reasons = {metric.name: _reason(metric, target, point, min_patients, min_per_class) for metric in wanted}
    sound = [metric for metric in wanted if not reasons[metric.name] and math.isfinite(values[metric.name])]
    resampled = bootstrap.figures(y, p, target.rows, point.threshold, sound) if sound else {}
    cluster = bootstrap.code[target.rows]
    estimates = {}
    for metric in wanted:
        name = metric.name
        if name in resampled and bootstrap.resamples < FEWEST_RESAMPLES:
            reason = f"no interval: fewer than {FEWEST_RESAMPLES} resamples"
            estimates[name] = Estimate(values[name], reason=reason)
        elif name in resampled:
            ends = interval_of(metric, values[name], y, p, cluster, point.threshold, level, resampled[name])
            estimates[name] = Estimate(values[name], *ends)
        else:
            undefined = "nobody is flagged" if metric.at_threshold else f"{metric.label} is undefined here"
            estimates[name] = Estimate.undefined(reasons[name] or undefined)
    fewest = min(subjects_of(cluster[y == 1]), subjects_of(cluster[y == 0]))
    worth = effective_size(y, cluster) if len(y) else 0.0
    return MetricSet(len(y), positives, estimates, resampled, fewest=fewest, worth=worth)


def _reason(metric: Metric, target: Target, point: OperatingPoint, min_patients: int, min_per_class: int) -> str:
    """Why a metric is not given."""
    y = target.y
    few = why_undefined(y, min_patients) if len(y) < max(1, min_patients) else ""
    if few:
        return few
    if metric.needs == "both classes":
        few = why_undefined(y, min_patients, min_per_class)
    if few or not metric.at_threshold:
        return few
    if point.reason:
        return point.reason
    judged = {"positives": y == 1, "negatives": y == 0}.get(metric.needs)
    if judged is not None and judged.sum() < min_per_class:
        count, word = int(judged.sum()), metric.needs.removesuffix("s")
        return f"only {count} {word} patient{'' if count == 1 else 's'} (fewer than {min_per_class})"
    return ""


def calibration_figures(target: Target, bootstrap: SubjectBootstrap, rules: EvaluationConfig) -> dict[str, Estimate]:
    """Calibration error, its debiased value, its level by chance, and the recalibration line.

    The errors carry no bootstrap interval: resampling adds noise to every bin, so such an interval lies above the
    truth. ``ece_by_chance`` says instead what a perfectly calibrated model would show.
    """
    y, p = target.y, target.p
    if not len(y):
        names = ("ece", "ece_debiased", "ece_by_chance", "calibration_intercept", "calibration_slope")
        return {name: Estimate.undefined("no labelled patient") for name in names}
    intercept, slope = calibration_line(y, p, bootstrap.code[target.rows], level=rules.level)
    chance = ece_by_chance(p, np.random.default_rng([rules.seed, 1]), level=rules.level, bins=rules.bins)
    return {
        "ece": Estimate(ece(y, p, rules.bins)),
        "ece_debiased": Estimate(ece_debiased(y, p, rules.bins)),
        "ece_by_chance": Estimate(chance),
        "calibration_intercept": intercept,
        "calibration_slope": slope,
    }


def difference(model: MetricSet, other: MetricSet, name: str) -> Estimate:
    """A figure of one model less that of another, on the same patients.

    The interval is made from the two figures' own (at their level), with the correlation of the two over the same
    resamples of subjects.

    Args:
        model: The model judged.
        other: What it is compared with.
        name: The figure.
    """
    ours, theirs = model[name], other[name]
    if not (ours.defined and theirs.defined):
        return Estimate.undefined(ours.reason or theirs.reason)
    gap = ours.value - theirs.value
    if not (ours.has_interval and theirs.has_interval):
        return Estimate(gap, reason=(ours.reason if not ours.has_interval else theirs.reason))
    if _alike(model, other, name):
        return Estimate(gap, reason="no interval: the two do not differ in any resample of these patients")
    together = _correlation(model, other, name)
    if together > 0:
        # A handful of subjects overstates how closely two figures go together (our choice, from the simulation).
        few = min(model.fewest, other.fewest)
        together *= max(0, few - 1) / (few + 1)
    return Estimate(gap, *difference_interval(ours, theirs, together))


def _alike(one: MetricSet, other: MetricSet, name: str) -> bool:
    """Whether two figures vary over the resamples and are the same in each: as good as one model, no interval of 0."""
    if name not in one.resampled or name not in other.resampled:
        return False
    first, second = one.resampled[name], other.resampled[name]
    if len(first) != len(second) or not np.allclose(first, second, rtol=0, atol=1e-12, equal_nan=True):
        return False
    known = first[np.isfinite(first)]
    return bool(len(known)) and float(np.ptp(known)) > 1e-12


def _correlation(one: MetricSet, other: MetricSet, name: str) -> float:
    if name not in one.resampled or name not in other.resampled:
        return 0.0
    # Large slices have fewer resamples than small ones, but the same first ones.
    shared = min(len(one.resampled[name]), len(other.resampled[name]))
    return resampled_correlation(one.resampled[name][:shared], other.resampled[name][:shared])


def macro(parts: Sequence[MetricSet], targets: Sequence[Target]) -> MetricSet:
    """The plain mean over targets.

    It is taken over the targets that have positive and negative patients here, which the labels alone decide: the same
    ones for every figure and every model. (Where no target has both, over all of them.) A figure that one of these
    targets lacks for another reason is undefined, and says which.

    Args:
        parts: One per target.
        targets: The targets.
    """
    if len(parts) == 1:
        return parts[0]
    pairs = list(zip(targets, parts))
    kept = [(target, part) for target, part in pairs if part.positives and part.positives < part.n] or pairs
    names = tuple(target.name for target, _ in kept)
    own = [part for _, part in kept]
    estimates, resampled = {}, {}
    for figure in own[0].estimates:
        estimates[figure] = _mean_over(own, names, figure)
        if all(figure in part.resampled for part in own):
            resampled[figure] = np.mean([part.resampled[figure] for part in own], axis=0)
    labelled = len(np.unique(np.concatenate([target.rows for target, _ in kept])))
    shares = tuple(part.prevalence for part in own)
    return MetricSet(labelled, None, estimates, resampled, names, shares, min(part.fewest for part in own))


def _mean_over(parts: Sequence[MetricSet], names: Sequence[str], figure: str) -> Estimate:
    """The mean of one figure with its interval, or why there is none."""
    missing = [f"{name}: {part[figure].reason}" for name, part in zip(names, parts) if not part[figure].defined]
    if missing:
        return Estimate.undefined(f"undefined for {len(missing)} of {len(parts)} targets ({missing[0]})")
    found = [part[figure] for part in parts]
    value = float(np.mean([one.value for one in found]))
    without = [(name, one) for name, one in zip(names, found) if not one.has_interval]
    if without:
        name, one = without[0]
        return Estimate(value, reason=f"{name}: {one.reason}" if one.reason else "")
    correlations = np.array([[_part_correlation(one, other, figure) for other in parts] for one in parts])
    return Estimate(value, *mean_of_figures_interval(found, correlations))


def _part_correlation(one: MetricSet, other: MetricSet, figure: str) -> float:
    """How two targets' figures go together; 1, the worst case for a mean, where no resample says it."""
    if one is other or figure not in one.resampled or figure not in other.resampled:
        return 1.0
    return max(0.0, _correlation(one, other, figure))
