"""How well a probability ranks and how far it is off: figures of one yes/no target.

Every function takes labels ``y`` (0 or 1) and probabilities ``p`` of the positive label, both [n], and returns a float.
An undefined figure (nobody, or only one class where two are needed) is NaN; :func:`why_undefined` says why. Outcomes of
several classes and several outcomes are sets of such targets (:mod:`gdsfd.evaluation.targets`).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gdsfd.baselines.labels import Floats, why_undefined
from gdsfd.baselines.ranking import average_precision, roc_area
from gdsfd.errors import InputError, shown

__all__ = [
    "Floats",
    "auprc",
    "auroc",
    "brier",
    "check_probabilities",
    "log_loss",
    "log_losses",
    "mean_or_nan",
    "squared_errors",
    "why_undefined",
]

#: Probabilities are kept this far from 0 and 1 before a logarithm is taken.
CLIP = 1e-7


def check_probabilities(p: NDArray[np.floating], where: str) -> Floats:
    """Makes sure that scores are probabilities and not logits.

    Args:
        p: What a model returned.
        where: Which model and split, for the message.

    Returns:
        The same numbers as float64.

    Raises:
        InputError: A number is not finite or not in [0, 1].
    """
    p = np.asarray(p, dtype=np.float64)
    wrong = ~(np.isfinite(p) & (p >= -1e-6) & (p <= 1 + 1e-6))
    if wrong.any():
        rows = np.flatnonzero(wrong.reshape(len(p), -1).any(axis=1))
        raise InputError(
            f"{where}: expected probabilities between 0 and 1, got {shown(p[wrong].tolist())} in {len(rows)} rows "
            f"(first rows {shown(rows.tolist())}); if these are logits, apply the sigmoid or softmax first"
        )
    return np.clip(p, 0.0, 1.0)


def auroc(y: Floats, p: Floats) -> float:
    """Area under the ROC curve: the chance that a positive gets a higher score than a negative (ties count half).

    Example:
        >>> auroc(np.array([0.0, 1.0, 1.0]), np.array([0.1, 0.1, 0.9]))
        0.75
    """
    return math.nan if why_undefined(y) else roc_area(y, p)


def auprc(y: Floats, p: Floats) -> float:
    """Average precision, the step-wise area under the precision-recall curve.

    A score that ranks at random gets the prevalence, so the two belong side by side.

    Example:
        >>> auprc(np.array([0.0, 1.0, 1.0]), np.array([0.1, 0.1, 0.9]))
        0.8333333333333333
    """
    return math.nan if why_undefined(y) else average_precision(y, p)


def squared_errors(y: Floats, p: Floats) -> Floats:
    """``(p - y)**2`` of each patient; their mean is the Brier score."""
    return (p - y) ** 2


def log_losses(y: Floats, p: Floats) -> Floats:
    """Negative log-likelihood of each patient, in nats; probabilities are clipped to ``[1e-7, 1 - 1e-7]``."""
    clipped = np.clip(p, CLIP, 1 - CLIP)
    return -(y * np.log(clipped) + (1 - y) * np.log1p(-clipped))


def brier(y: Floats, p: Floats) -> float:
    """Brier score: mean of ``(p - y)**2``. Smaller is better; always saying the prevalence q gets ``q (1 - q)``."""
    return mean_or_nan(squared_errors(y, p))


def log_loss(y: Floats, p: Floats) -> float:
    """Mean negative log-likelihood, in nats; probabilities are clipped to ``[1e-7, 1 - 1e-7]``."""
    return mean_or_nan(log_losses(y, p))


def mean_or_nan(values: Floats) -> float:
    """The mean; NaN of nothing."""
    return float(values.mean()) if values.size else math.nan
