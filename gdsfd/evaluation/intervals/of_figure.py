"""The one place that decides which interval a figure has, or why it has none."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gdsfd.evaluation.intervals.auroc import auroc_interval
from gdsfd.evaluation.intervals.effective_size import effective_size, subjects_of
from gdsfd.evaluation.intervals.means import mean_interval
from gdsfd.evaluation.intervals.precision import average_precision_interval
from gdsfd.evaluation.intervals.shares import share_interval
from gdsfd.evaluation.metrics.formulas import CLIP

__all__ = ["FEWEST", "FEWEST_OF", "METHODS", "few_words", "interval_of", "why_no_interval"]

Floats = NDArray[np.float64]
Interval = tuple[float, float]

#: The fewest subjects with a positive patient, and with a negative one, for an interval.
FEWEST = 5
#: Figures that need more: simulated coverage is below 90 % with fewer (``benchmarks/interval_coverage.py``).
FEWEST_OF = {"brier": 10, "log_loss": 10}

#: Figure -> how its interval is made, for the report.
METHODS = {
    "auroc": "wider end of Newcombe's method 5 and of DeLong's on the logit scale",
    "auprc": "exact binomial limits with the positives as sample; above 30 of them the logit with its spread over "
    "resamples",
    "brier": "t interval on the log scale, degrees of freedom of the rarer class",
    "log_loss": "t interval on the log scale, degrees of freedom of the rarer class",
    "calibration_gap": "t interval, degrees of freedom of the rarer class",
    "tpr": "exact binomial limits",
    "fpr": "exact binomial limits",
    "ppv": "exact binomial limits",
    "flagged": "exact binomial limits",
    "accuracy": "exact binomial limits",
}


def why_no_interval(name: str, y: Floats, cluster: NDArray[np.int64]) -> str:
    """Why a figure of these patients has no interval; empty when it has one.

    Subjects are counted, not patients: five patients of one subject are one observation.

    Args:
        name: The figure.
        y: Labels, 0 or 1, of those the figure rests on; [n].
        cluster: Number of each patient's subject; [n].

    Example:
        >>> why_no_interval("auroc", np.array([1.0, 0, 0, 0, 0, 0]), np.arange(6))
        'only 1 positive patient: no interval below 5'
    """
    least = FEWEST_OF.get(name, FEWEST)
    for value, word in ((1, "positive"), (0, "negative")):
        own = cluster[y == value]
        reason = few_words(own, word, least)
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
    name: str,
    value: float,
    y: Floats,
    p: Floats,
    cluster: NDArray[np.int64],
    threshold: float = math.nan,
    level: float = 0.95,
    resampled: Floats | None = None,
) -> tuple[float, float, str]:
    """The interval of a figure of one yes/no target.

    Args:
        name: The figure, of :data:`METHODS` but ``accuracy``.
        value: The figure.
        y: Labels, 0 or 1; [n].
        p: Probabilities; [n].
        cluster: Number of each patient's subject; [n].
        threshold: Patients at or above it are flagged, for the rates.
        level: Coverage.
        resampled: The figure in resamples of subjects, for ``auprc``; [R].

    Returns:
        Low and high end and an empty text, or NaN twice and the reason.
    """
    if name in ("tpr", "fpr", "ppv", "flagged"):
        low, high, reason = _rate(name, value, y, p, cluster, threshold, level)
    else:
        reason = why_no_interval(name, y, cluster)
        if not reason and name in ("auroc", "auprc") and np.ptp(p) == 0:
            reason = "all patients here have the same score"
        if reason:
            low, high = math.nan, math.nan
        elif name == "auprc":
            low, high = average_precision_interval(value, cluster[y == 1], _fewest(y, cluster), level, resampled)
        else:
            low, high = _BY_CLASS[name](y, p, cluster, level)
    if not reason and not (math.isfinite(low) and math.isfinite(high)):
        reason = "no interval: all patients here have the same value"
    return (math.nan, math.nan, reason) if reason else (low, high, "")


def _rate(
    name: str, value: float, y: Floats, p: Floats, cluster: NDArray[np.int64], threshold: float, level: float
) -> tuple[float, float, str]:
    """A share of the positives, the negatives, those flagged or all."""
    flagged = p >= threshold
    among, word, hit = {
        "tpr": (y == 1, "positive", flagged),
        "fpr": (y == 0, "negative", flagged),
        "ppv": (flagged, "flagged", y == 1),
        "flagged": (np.ones(len(y), dtype=bool), "labelled", flagged),
    }[name]
    reason = few_words(cluster[among], word)
    if reason:
        return math.nan, math.nan, reason
    size = effective_size(hit[among].astype(np.float64), cluster[among])
    return *share_interval(value, size, level), ""


def _fewest(y: Floats, cluster: NDArray[np.int64]) -> int:
    return min(subjects_of(cluster[y == 1]), subjects_of(cluster[y == 0]))


def _brier(y: Floats, p: Floats, cluster: NDArray[np.int64], level: float) -> Interval:
    return mean_interval((p - y) ** 2, cluster, _fewest(y, cluster), level, above_zero=True)


def _log_loss(y: Floats, p: Floats, cluster: NDArray[np.int64], level: float) -> Interval:
    clipped = np.clip(p, CLIP, 1 - CLIP)
    losses = -(y * np.log(clipped) + (1 - y) * np.log1p(-clipped))
    return mean_interval(losses, cluster, _fewest(y, cluster), level, above_zero=True)


def _calibration_gap(y: Floats, p: Floats, cluster: NDArray[np.int64], level: float) -> Interval:
    return mean_interval(p - y, cluster, _fewest(y, cluster), level)


_BY_CLASS: dict[str, Callable[[Floats, Floats, NDArray[np.int64], float], Interval]] = {
    "auroc": auroc_interval,
    "brier": _brier,
    "log_loss": _log_loss,
    "calibration_gap": _calibration_gap,
}
