"""All figures of one target with their intervals, and differences between models on the same resamples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from gdsfd.errors import InputError
from gdsfd.evaluation.bootstrap import RESAMPLED, SubjectBootstrap
from gdsfd.evaluation.calibration import calibration_line, ece, ece_by_chance, ece_debiased
from gdsfd.evaluation.estimate import Estimate, percentile_interval
from gdsfd.evaluation.metrics import Floats, auprc, auroc, brier, log_loss, mean_or_nan, why_undefined
from gdsfd.evaluation.operating_point import OperatingPoint, rates
from gdsfd.evaluation.targets import Target

__all__ = ["Rules", "Scored", "calibration_figures", "difference", "macro", "score"]


@dataclass(frozen=True)
class Rules:
    """How figures are made.

    Args:
        resamples: Bootstrap resamples of subjects; at least 20 (below it there is no interval).
        seed: Of the local generators.
        level: Coverage of the intervals.
        sensitivity: Sensitivity at which the threshold is fixed on the tuning rows.
        min_patients: A slice of fewer labelled patients gets no figure.
        min_per_class: A slice of fewer positives, or negatives, gets no ranking figure.
        bins: Bins of the calibration curve.
    """

    resamples: int = 1000
    seed: int = 0
    level: float = 0.95
    sensitivity: float = 0.8
    min_patients: int = 30
    min_per_class: int = 5
    bins: int = 10

    def __post_init__(self) -> None:
        for name, low in (("resamples", 0), ("min_patients", 1), ("min_per_class", 1), ("bins", 2)):
            if getattr(self, name) < low:
                raise InputError(f"{name}: expected at least {low}, got {getattr(self, name)}")
        for name in ("level", "sensitivity"):
            if not 0 < getattr(self, name) < 1:
                raise InputError(f"{name}: expected a number between 0 and 1, got {getattr(self, name)}")


@dataclass(frozen=True)
class Scored:
    """Figures of one target, one model and some patients.

    Args:
        n: Labelled patients.
        positives: How many of them are positive.
        estimates: Figure -> estimate.
        resampled: Figure -> its value in every resample; [R].
    """

    n: int
    positives: int
    estimates: dict[str, Estimate]
    resampled: dict[str, Floats] = field(default_factory=dict, repr=False)

    def __getitem__(self, name: str) -> Estimate:
        return self.estimates.get(name, Estimate.undefined("not computed"))


def score(
    target: Target,
    bootstrap: SubjectBootstrap,
    point: OperatingPoint,
    level: float = 0.95,
    min_patients: int = 1,
    min_per_class: int = 1,
    names: Sequence[str] = RESAMPLED,
) -> Scored:
    """The figures of one target.

    Args:
        target: Labels and probabilities.
        bootstrap: The split's resamples.
        point: The threshold fixed on tuning rows.
        level: Coverage of the intervals.
        min_patients: The fewest labelled patients for any figure.
        min_per_class: The fewest positives and negatives for ``auroc`` and ``auprc``, positives for ``tpr``, negatives
            for ``fpr``.
        names: Which figures, of :data:`~gdsfd.evaluation.bootstrap.RESAMPLED`.
    """
    y, p = target.y, target.p
    positives = int(y.sum())
    values = {
        "auroc": auroc(y, p),
        "auprc": auprc(y, p),
        "brier": brier(y, p),
        "log_loss": log_loss(y, p),
        "calibration_gap": mean_or_nan(p - y),
        **rates(y, p, point.threshold),
    }
    reasons = {name: _reason(name, target, point, min_patients, min_per_class) for name in names}
    sound = [name for name in names if not reasons[name] and math.isfinite(values[name])]
    resampled = bootstrap.figures(y, p, target.rows, point.threshold, sound) if sound else {}
    estimates = {}
    for name in names:
        if name in resampled:
            low, high = percentile_interval(resampled[name], level)
            note = "" if math.isfinite(low) else "no interval: the figure is defined in too few resamples"
            if name == "auroc" and np.ptp(p) == 0:
                low, high, note = math.nan, math.nan, "all patients here have the same score"
            estimates[name] = Estimate(values[name], low, high, note)
        else:
            estimates[name] = Estimate.undefined(reasons[name] or "nobody is flagged")
    return Scored(len(y), positives, estimates, resampled)


def _reason(name: str, target: Target, point: OperatingPoint, min_patients: int, min_per_class: int) -> str:
    """Why a figure is not given."""
    y = target.y
    few = why_undefined(y, min_patients) if len(y) < max(1, min_patients) else ""
    if few or name in ("brier", "log_loss", "calibration_gap"):
        return few
    if name in ("auroc", "auprc"):
        return why_undefined(y, min_patients, min_per_class)
    if point.reason:
        return point.reason
    judged = {"tpr": y == 1, "fpr": y == 0}.get(name)
    if judged is not None and judged.sum() < min_per_class:
        count, word = int(judged.sum()), "positive" if name == "tpr" else "negative"
        return f"only {count} {word} patient{'' if count == 1 else 's'} (fewer than {min_per_class})"
    return ""


def calibration_figures(target: Target, bootstrap: SubjectBootstrap, rules: Rules) -> dict[str, Estimate]:
    """Calibration error, its debiased value, its level by chance, and the recalibration line.

    The errors carry no bootstrap interval: resampling adds noise to every bin, so such an interval lies above the
    truth. ``ece_by_chance`` says instead what a perfectly calibrated model would show.
    """
    y, p = target.y, target.p
    if not len(y):
        names = ("ece", "ece_debiased", "ece_by_chance", "calibration_intercept", "calibration_slope")
        return {name: Estimate.undefined("no labelled patient") for name in names}
    intercept, slope = calibration_line(y, p, bootstrap.code[target.rows])
    chance = ece_by_chance(p, np.random.default_rng([rules.seed, 1]), level=rules.level, bins=rules.bins)
    return {
        "ece": Estimate(ece(y, p, rules.bins)),
        "ece_debiased": Estimate(ece_debiased(y, p, rules.bins)),
        "ece_by_chance": Estimate(chance),
        "calibration_intercept": intercept,
        "calibration_slope": slope,
    }


def difference(model: Scored, other: Scored, name: str, level: float = 0.95) -> Estimate:
    """A figure of one model less that of another, on the same patients and the same resamples.

    Args:
        model: The model judged.
        other: What it is compared with.
        name: The figure.
        level: Coverage of the interval.
    """
    ours, theirs = model[name], other[name]
    if not (ours.defined and theirs.defined):
        return Estimate.undefined(ours.reason or theirs.reason)
    if name not in model.resampled or name not in other.resampled:
        return Estimate(ours.value - theirs.value)
    # Large slices have fewer resamples than small ones, but the same first ones.
    shared = min(len(model.resampled[name]), len(other.resampled[name]))
    low, high = percentile_interval(model.resampled[name][:shared] - other.resampled[name][:shared], level)
    return Estimate(ours.value - theirs.value, low, high)


def macro(parts: Sequence[Scored], names: Sequence[str], level: float = 0.95) -> Scored:
    """The plain mean over targets; undefined as soon as one target is, and then it says which reason.

    Args:
        parts: One per target.
        names: The targets' names, for the reason.
        level: Coverage of the interval.
    """
    if len(parts) == 1:
        return parts[0]
    estimates, resampled = {}, {}
    for figure in parts[0].estimates:
        missing = [f"{name}: {part[figure].reason}" for name, part in zip(names, parts) if not part[figure].defined]
        if missing:
            estimates[figure] = Estimate.undefined(
                f"undefined for {len(missing)} of {len(parts)} targets ({missing[0]})"
            )
            continue
        value = float(np.mean([part[figure].value for part in parts]))
        if all(figure in part.resampled for part in parts):
            resampled[figure] = np.mean([part.resampled[figure] for part in parts], axis=0)
            estimates[figure] = Estimate(value, *percentile_interval(resampled[figure], level))
        else:
            estimates[figure] = Estimate(value)
    return Scored(max(part.n for part in parts), sum(part.positives for part in parts), estimates, resampled)
