"""Whether "20 %" means that 20 of 100 such patients had the outcome.

Four views of the same question: a curve (mean predicted risk against observed share in bins of equal size), its mean
gap (expected calibration error), the two numbers of a recalibration fit (intercept and slope), and how large the gap
would be by chance in a sample of this size. Labels ``y`` are 0 or 1, ``p`` are probabilities, both [n].

References:
    The debiased error removes the plug-in estimate of the bias that Kumar, Liang and Ma (Verified Uncertainty
    Calibration, NeurIPS 2019) simulate; we use the mean of a folded normal in closed form instead. Intercept and slope:
    Cox (1958), Van Calster et al. (2019).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtr, stdtrit

from gdsfd.evaluation.intervals.effective_size import kish_size, subjects_of
from gdsfd.evaluation.intervals.of_metric import why_no_interval
from gdsfd.evaluation.metrics.estimate import Estimate
from gdsfd.evaluation.metrics.formulas import CLIP, Floats, why_undefined

__all__ = ["CalibrationBins", "calibration_bins", "calibration_line", "ece", "ece_by_chance", "ece_debiased"]


@dataclass(frozen=True)
class CalibrationBins:
    """A calibration curve: patients in bins of (nearly) equal size, by predicted probability.

    Args:
        count: Patients per bin; [B].
        predicted: Mean predicted probability; [B].
        observed: Share of positives; [B].
    """

    count: Floats
    predicted: Floats
    observed: Floats


def bin_numbers(p: Floats, bins: int = 10) -> NDArray[np.int64]:
    """Bin of each patient: bins of equal mass, and equal scores always in the same bin; 0 .. B-1 without gaps, [n]."""
    if not len(p):
        return np.empty(0, dtype=np.int64)
    _, inverse, counts = np.unique(p, return_inverse=True, return_counts=True)
    # A score's bin is that of the middle of its ties, so that a big tie does not drag its neighbours along.
    middle = np.cumsum(counts) - counts / 2
    raw = np.minimum((middle * bins / len(p)).astype(np.int64), bins - 1)
    return np.unique(raw, return_inverse=True)[1][inverse]


def calibration_bins(y: Floats, p: Floats, bins: int = 10) -> CalibrationBins:
    """The calibration curve.

    Args:
        y: Labels.
        p: Probabilities.
        bins: Number of bins; fewer come out when many scores are equal, none when there is no patient.
    """
    number = bin_numbers(p, bins)
    count = np.bincount(number).astype(np.float64)
    return CalibrationBins(count, np.bincount(number, p) / count, np.bincount(number, y) / count)


def ece(y: Floats, p: Floats, bins: int = 10) -> float:
    """Expected calibration error: mean gap between predicted and observed over bins of equal mass, NaN of nobody.

    Sampling noise makes it positive even for a perfect model, see :func:`ece_debiased` and :func:`ece_by_chance`.
    """
    curve = calibration_bins(y, p, bins)
    return float(curve.count @ np.abs(curve.predicted - curve.observed) / len(y)) if len(y) else math.nan


def ece_debiased(y: Floats, p: Floats, bins: int = 10) -> float:
    """The expected calibration error less its noise.

    The gap d of a bin of n patients is measured with variance ``s2 = r (1 - r) / (n - 1)``, r the observed share. The
    mean of ``|N(d, s2)|`` exceeds ``|d|``; the weighted sum of these excesses is subtracted, and the result is cut
    at 0. Because the excess is worked out at the measured gap rather than the true one, part of the noise stays: of a
    perfectly calibrated score's error it removes about two fifths, of a large gap hardly anything, as it should.
    """
    if not len(y):
        return math.nan
    curve = calibration_bins(y, p, bins)
    gap = np.abs(curve.predicted - curve.observed)
    spread = np.sqrt(curve.observed * (1 - curve.observed) / np.maximum(curve.count - 1, 1))
    ratio = np.divide(gap, spread, out=np.full_like(gap, np.inf), where=spread > 0)
    folded = spread * math.sqrt(2 / math.pi) * np.exp(-(ratio**2) / 2) + gap * (1 - 2 * ndtr(-ratio))
    return max(0.0, float(curve.count @ (gap - (folded - gap)) / len(y)))


def ece_by_chance(
    p: Floats, generator: np.random.Generator, draws: int = 200, level: float = 0.95, bins: int = 10
) -> float:
    """The calibration error that a perfectly calibrated model with these probabilities exceeds only rarely.

    Outcomes are drawn from the probabilities themselves, ``draws`` times.

    Args:
        p: Probabilities.
        generator: Source of randomness.
        draws: Number of simulated samples.
        level: The quantile returned.
    """
    if not len(p):
        return math.nan
    number = bin_numbers(p, bins)
    count = np.bincount(number).astype(np.float64)
    predicted = np.bincount(number, p) / count
    errors = np.empty(draws)
    for draw in range(draws):
        observed = np.bincount(number, generator.random(len(p)) < p, minlength=len(count)) / count
        errors[draw] = count @ np.abs(predicted - observed) / len(p)
    return float(np.quantile(errors, level))


def calibration_line(
    y: Floats, p: Floats, cluster: NDArray[np.int64], min_per_class: int = 5, level: float = 0.95
) -> tuple[Estimate, Estimate]:
    """Intercept and slope of the outcome's log-odds on the predicted log-odds.

    ``intercept`` is fitted with the slope held at 1 (0: right on average; below 0: risks are too high). ``slope`` is
    fitted with a free intercept (1: right spread; below 1: risks too extreme, as after over-fitting). Intervals come
    from the sandwich variance summed by subject or, where it is larger, the variance of the fit itself as if the
    patients of a subject all fared alike, with a t quantile of as many degrees of freedom as the rarer class has
    subjects, less one: in small samples the sandwich alone is too short.

    Args:
        y: Labels.
        p: Probabilities, clipped to ``[1e-7, 1 - 1e-7]``.
        cluster: Number of the subject of each patient; [n].
        min_per_class: The fewest positives and negatives for a fit.
        level: Coverage of the intervals.

    Returns:
        The intercept and the slope.
    """
    reason = why_undefined(y, min_per_class=min_per_class)
    if reason:
        return Estimate.undefined(reason), Estimate.undefined(reason)
    x = logit(np.clip(p, CLIP, 1 - CLIP))
    ones = np.ones((len(y), 1))
    fewest = min(subjects_of(cluster[y == 1]), subjects_of(cluster[y == 0]))
    why_not = why_no_interval(y, cluster)
    quantile = math.nan if why_not else float(stdtrit(fewest - 1, (1 + level) / 2))
    intercept = _fitted(y, ones, x, cluster, 0, quantile, why_not)
    if np.ptp(x) < 1e-9:
        return intercept, Estimate.undefined("all predicted probabilities are equal")
    return intercept, _fitted(y, np.column_stack([ones[:, 0], x]), np.zeros_like(x), cluster, 1, quantile, why_not)


def _fitted(
    y: Floats,
    design: Floats,
    offset: Floats,
    cluster: NDArray[np.int64],
    which: int,
    quantile: float,
    why_not: str,
) -> Estimate:
    """One coefficient of a logistic fit by Newton's method with its cluster-robust interval."""
    beta = np.zeros(design.shape[1])
    step = np.full_like(beta, np.inf)
    for _ in range(50):
        mean = expit(offset + design @ beta)
        information = design.T @ (design * (mean * (1 - mean))[:, None])
        if np.linalg.cond(information) > 1e12:
            return Estimate.undefined("the recalibration fit has no finite solution")
        step = np.linalg.solve(information, design.T @ (y - mean))
        beta = beta + np.clip(step, -2.0, 2.0)  # plain Newton can overshoot from a poor start
        if np.abs(step).max() < 1e-9:
            break
    if np.abs(step).max() > 1e-5 or np.abs(beta).max() > 50:
        return Estimate.undefined("the recalibration fit has no finite solution")
    mean = expit(offset + design @ beta)
    information = design.T @ (design * (mean * (1 - mean))[:, None])
    if why_not:
        return Estimate(float(beta[which]), reason=why_not)
    subject = np.unique(cluster, return_inverse=True)[1]
    scores = np.zeros((int(subject.max()) + 1, design.shape[1]))
    np.add.at(scores, subject, design * (y - mean)[:, None])
    bread = np.linalg.inv(information)
    small = len(scores) / max(1, len(scores) - design.shape[1])
    robust = small * float((bread @ (scores.T @ scores) @ bread)[which, which])
    alone = float(bread[which, which]) * len(y) / kish_size(cluster)
    half = quantile * math.sqrt(max(robust, alone))
    return Estimate(float(beta[which]), float(beta[which]) - half, float(beta[which]) + half)
