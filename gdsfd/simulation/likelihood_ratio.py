"""Log-likelihood ratios of cells under the structural causal model."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gdsfd.simulation.catalogue import CATALOGUE

__all__ = ["log_ratio", "logit"]


def logit(probability: float) -> float:
    """``log(p / (1 - p))``."""
    return math.log(probability / (1.0 - probability))


def log_ratio(name: str, values: NDArray[np.float64], shift: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log-likelihood ratio of what a shift of 1 against -1 predicts, cell by cell; [N, F].

    Args:
        name: The modality.
        values: Standardised numbers, or 0/1 for codes; [N, F].
        shift: ``m`` of each column; [F].
    """
    if CATALOGUE[name].kind != "codes":
        return 2.0 * values * shift
    base = np.array([logit(feature.centre) for feature in CATALOGUE[name].features])
    # log P(code | +) - log P(code | -) with P = sigmoid(base + s m); absent codes use the complement.
    with_code = np.logaddexp(0.0, -(base - shift)) - np.logaddexp(0.0, -(base + shift))
    without = np.logaddexp(0.0, base - shift) - np.logaddexp(0.0, base + shift)
    return np.where(values > 0.5, with_code, without)
