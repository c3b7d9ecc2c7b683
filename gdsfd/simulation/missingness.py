"""Missingness mechanisms: what the probability that a modality is present depends on (MCAR, MAR, MNAR, ...).

A modality is present with probability ``sigmoid(a + slope * driver)``. The mechanism says what drives it, and ``a`` is
solved so that the asked share of training patients lacks the modality. In ``test_shifted_missingness`` presence is
drawn at that rate independently of everything, which is ``do(M)``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["MECHANISMS", "driver_of", "presence_intercept", "presence_probability"]

#: Mechanism -> what drives presence, with its weight. ``confounder``: U as -1 or 1. ``outcome``: Y as -1 or 1.
#: ``age``: standardised. ``severity``: the causal content's log-likelihood ratio, standardised.
#: Only what follows U loses its link with the outcome in ``test_unbiased``: under ``mnar_outcome`` and
#: ``mnar_severity`` presence goes on telling of the outcome there, and stops in ``test_shifted_missingness``.
MECHANISMS: dict[str, dict[str, float]] = {
    "mcar": {},
    "mar": {"age": 1.0},
    "mnar": {"confounder": 1.0},
    "mnar_outcome": {"outcome": 1.0},
    "mnar_severity": {"severity": 1.0},
    "collider": {"confounder": 1.0, "severity": 1.0},
}


def driver_of(mechanism: str, drivers: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """The sum of what drives presence under a mechanism; [N].

    Args:
        mechanism: A name of :data:`MECHANISMS`.
        drivers: Name -> value per patient, all of ``confounder``, ``outcome``, ``age`` and ``severity``.
    """
    total = np.zeros_like(drivers["outcome"])
    for name, weight in MECHANISMS[mechanism].items():
        total += weight * drivers[name]
    return total


def presence_intercept(driver: NDArray[np.float64], slope: float, rate: float) -> float:
    """Solves ``mean(sigmoid(a + slope * driver)) = 1 - rate`` for ``a`` by bisection.

    Args:
        driver: What drives presence, per training patient.
        slope: Log-odds per unit of the driver.
        rate: Share of patients without the modality; 0 gives infinity (always present).

    Example:
        >>> round(presence_intercept(np.zeros(3), 1.0, 0.25), 4)
        1.0986
    """
    if rate <= 0.0:
        return float("inf")
    low, high = -1e3, 1e3
    for _ in range(80):
        middle = 0.5 * (low + high)
        if presence_probability(driver, slope, middle).mean() < 1.0 - rate:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def presence_probability(driver: NDArray[np.float64], slope: float, intercept: float) -> NDArray[np.float64]:
    """``sigmoid(intercept + slope * driver)``; [N]."""
    if np.isposinf(intercept):
        return np.ones_like(driver)
    return 1.0 / (1.0 + np.exp(-np.clip(intercept + slope * driver, -500.0, 500.0)))
