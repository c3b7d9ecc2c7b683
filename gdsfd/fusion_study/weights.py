r"""The gain by a modality had everyone been measured: weights by the probability of having it.

A modality ordered for some patients looks better, or worse, on them than it is. With e the probability of having it
given what everyone has, those who have it count :math:`1/e` each and stand for everyone. That holds where nothing
unseen bears on both ordering and outcome; the tipping point says how wrong it would have to be.

**The tipping point** is that of the marginal sensitivity model: an unseen driver changes each patient's odds of having
the modality by a factor between :math:`1/\Lambda` and :math:`\Lambda`, so that weights lie anywhere in
:math:`1 + (1/e - 1) [\Lambda^{-1}, \Lambda]`, and bears on the outcome as strongly as can be: those in whom the
modality helps most are given the lowest weights, the others the highest. The smallest :math:`\Lambda` that brings the
gain to 0 is given. A driver above it could explain the gain, if it picked its patients that badly.

References:
    Hajek weights clipped at the 99th percentile: Choi et al., ICLR 2026 (arXiv 2505.16953). Marginal sensitivity model:
    Tan, JASA (2006); Zhao, Small and Bhattacharya, JRSS B (2019), whose extrema of weighted means are exact. For a
    difference of AUROC, a ratio in the weights of each class, we hold one class and set the other's in turn (ours).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from gdsfd.errors import InputError
from gdsfd.evaluation.metrics.bootstrap import SubjectBootstrap
from gdsfd.evaluation.metrics.estimate import Estimate, percentile_interval
from gdsfd.evaluation.metrics.formulas import log_losses
from gdsfd.fusion_study.group_figures import weighted_auroc

__all__ = ["Weights", "inverse_weights", "propensity", "tipping_point", "weighted_gain"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: Patients whose probability of having the modality is below this have hardly anybody who stands for them.
RARE = 0.02
#: Share of such patients from which there is a warning.
MANY = 0.05
#: Tipping points above this are not looked for.
STRONGEST = 100.0


@dataclass(frozen=True)
class Weights:
    """Weights of those who have a modality.

    Args:
        values: 1/e, clipped; [n with it].
        clipped: How many were clipped.
        effective: What these patients are worth: squared sum over sum of squares.
        warning: That some patients have hardly anybody who stands for them; or nothing.
    """

    values: Floats
    clipped: int
    effective: float
    warning: str


def propensity(
    has: Mask,
    columns: Floats,
    subject: NDArray[np.int64],
    model: Literal["chosen", "logistic", "boosting"] = "chosen",
    folds: int = 5,
    seed: int = 0,
) -> Floats:
    """Probability of having a modality given what everyone has, by models that have not seen the patient's subject.

    Args:
        has: Who has it; [n].
        columns: What everyone has, flattened; NaN = not measured; [n, F].
        subject: Number of each patient's subject; [n].
        model: Logistic regression (missing values by the median and a flag), gradient boosting, or the one of the two
            with the lower log loss on patients whom it has not seen. A wrong form biases every weighted figure.
        folds: Of subjects.
        seed: Of folds and of boosting.

    Raises:
        InputError: Fewer subjects with, or without it than folds.

    Returns:
        Probabilities; [n].
    """
    fewest = min(len(np.unique(subject[has])), len(np.unique(subject[~has])))
    if fewest < folds:
        raise InputError(f"propensity: expected {folds} subjects with and without the modality, got {fewest}")
    kinds = ("logistic", "boosting") if model == "chosen" else (model,)
    found = {kind: np.empty(len(has)) for kind in kinds}
    for train, test in StratifiedGroupKFold(folds, shuffle=True, random_state=seed).split(columns, has, subject):
        for kind, own in found.items():
            fitted = _model(kind, seed).fit(columns[train], has[train])
            own[test] = fitted.predict_proba(columns[test])[:, 1]
    return min(found.values(), key=lambda own: float(log_losses(has.astype(np.float64), own).mean()))


def _model(kind: str, seed: int) -> Any:
    if kind == "boosting":
        return HistGradientBoostingClassifier(max_iter=60, learning_rate=0.1, max_leaf_nodes=8, random_state=seed)
    return make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
        StandardScaler(),
        LogisticRegression(max_iter=1000),
    )


def inverse_weights(has: Mask, probability: Floats, percentile: float = 99.0) -> Weights:
    """Weights 1/e of those who have the modality, clipped at a percentile.

    Args:
        has: Who has it; [n].
        probability: Of having it; [n].
        percentile: Where weights are clipped.

    Example:
        >>> found = inverse_weights(np.array([True, True, False]), np.array([0.5, 0.25, 0.5]), 100)
        >>> found.values.tolist(), round(found.effective, 2)
        ([2.0, 4.0], 1.8)
    """
    raw = 1 / np.clip(probability[has], 1e-6, 1.0)
    if not len(raw):
        return Weights(raw, 0, 0.0, "nobody has the modality")
    most = float(np.percentile(raw, percentile))
    values = np.minimum(raw, most)
    share = float((probability < RARE).mean())
    warning = (
        f"{share:.0%} of patients have a chance below {RARE:.0%} of having the modality: hardly anybody stands for them"
        if share > MANY
        else ""
    )
    return Weights(values, int((raw > most).sum()), float(values.sum() ** 2 / (values**2).sum()), warning)


def weighted_gain(
    y: Floats,
    p: Floats,
    reference: Floats,
    weights: Floats,
    subject: NDArray[np.int64],
    resamples: int = 1000,
    seed: int = 0,
) -> Estimate:
    """AUROC of a score less a reference's among weighted patients, with a subject bootstrap interval.

    Weights are held as they are: that they were estimated is not in the interval.

    Args:
        y: Labels of those who have the modality, 0 or 1; [n].
        p: A learner's scores; [n].
        reference: Another's, such as the best without the modality; [n].
        weights: Theirs; 1 for the gain as it looks; [n].
        subject: Number of each patient's subject; [n].
        resamples: Draws of subjects.
        seed: Of the draws.
    """
    value = _gain(y, p, reference, weights)
    if not math.isfinite(value):
        return Estimate.undefined("only one class")
    bootstrap = SubjectBootstrap(subject.astype(str).tolist(), resamples, seed)
    drawn = bootstrap.counts[:, bootstrap.code] * weights
    return Estimate(value, *percentile_interval(weighted_auroc(y, p, drawn) - weighted_auroc(y, reference, drawn)))


def tipping_point(y: Floats, p: Floats, reference: Floats, weights: Floats) -> float:
    """The smallest odds ratio of an unseen driver of ordering that could bring the weighted gain to 0.

    Args:
        y: Labels of those who have the modality; [n].
        p: A learner's scores; [n].
        reference: Another's; [n].
        weights: 1/e; [n].

    Returns:
        At least 1; 1 where there is no gain, infinite where none up to 100 could.
    """
    if not _gain(y, p, reference, weights) > 0:
        return 1.0
    if _worst_gain(y, p, reference, weights, STRONGEST) > 0:
        return math.inf
    low, high = 0.0, math.log(STRONGEST)
    while high - low > 1e-3:
        middle = (low + high) / 2
        low, high = (middle, high) if _worst_gain(y, p, reference, weights, math.exp(middle)) > 0 else (low, middle)
    return math.exp(high)


def _gain(y: Floats, p: Floats, reference: Floats, weights: Floats) -> float:
    own = weights[None]
    return float((weighted_auroc(y, p, own) - weighted_auroc(y, reference, own))[0])


def _worst_gain(y: Floats, p: Floats, reference: Floats, weights: Floats, ratio: float) -> float:
    """The lowest gain that weights inside the bounds give, found class by class in turn."""
    lowest, highest = 1 + (weights - 1) / ratio, 1 + (weights - 1) * ratio
    current, gain = weights.copy(), math.inf
    for _ in range(20):
        for label in (1.0, 0.0):
            own, other = y == label, y != label
            # Each patient's gain against the other class as it is weighted now; the class's gain is their mean.
            each = _wins(p[own], p[other], current[other]) - _wins(reference[own], reference[other], current[other])
            each = each if label == 1 else -each
            current[own] = _lowest_mean(each, lowest[own], highest[own])
        found = _gain(y, p, reference, current)
        if found > gain - 1e-9:
            break
        gain = found
    return min(gain, found)


def _wins(own: Floats, other: Floats, weights: Floats) -> Floats:
    """Weighted share of the others that lie below each, ties half."""
    order = np.argsort(other, kind="stable")
    below = np.concatenate([[0.0], np.cumsum(weights[order])]) / weights.sum()
    return (below[np.searchsorted(other[order], own, "left")] + below[np.searchsorted(other[order], own, "right")]) / 2


def _lowest_mean(values: Floats, lowest: Floats, highest: Floats) -> Floats:
    """Weights inside bounds under which the mean is lowest: high below a cut, low above it."""
    order = np.argsort(values, kind="stable")
    sums = np.zeros((2, len(values) + 1))
    for row, weight in enumerate((values, np.ones_like(values))):
        up, down = (highest * weight)[order], (lowest * weight)[order]
        sums[row] = np.concatenate([[0.0], np.cumsum(up)]) + down.sum() - np.concatenate([[0.0], np.cumsum(down)])
    cut = int((sums[0] / sums[1]).argmin())
    found = lowest.copy()
    found[order[:cut]] = highest[order[:cut]]
    return found
