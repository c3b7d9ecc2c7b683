"""A decision threshold, fixed on tuning rows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gdsfd.baselines.labels import Floats, why_undefined

__all__ = ["OperatingPoint", "choose_threshold"]


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold and where it comes from.

    Args:
        threshold: Patients with ``p >= threshold`` are flagged; NaN when none could be fixed.
        target: The sensitivity asked for on the tuning rows.
        reached: The sensitivity there.
        reason: Why there is no threshold.
    """

    threshold: float
    target: float
    reached: float = math.nan
    reason: str = ""


def choose_threshold(y: Floats, p: Floats, sensitivity: float = 0.8, min_per_class: int = 5) -> OperatingPoint:
    """The highest threshold that still finds a given share of the positives.

    Call it with tuning rows. It is never 0.5 by default: rare outcomes seldom reach it.

    Args:
        y: Tuning labels.
        p: Tuning probabilities.
        sensitivity: Share of positives to be flagged at least.
        min_per_class: The fewest positives and negatives to choose on.

    Example:
        >>> point = choose_threshold(np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.1, 0.3, 0.2, 0.8]), 0.5, 1)
        >>> point.threshold, point.reached
        (0.8, 0.5)
    """
    reason = why_undefined(y, min_per_class=min_per_class)
    if reason:
        return OperatingPoint(math.nan, sensitivity, reason=f"no threshold: among the tuning patients {reason}")
    positives = np.sort(p[y == 1])[::-1]
    needed = max(1, math.ceil(sensitivity * len(positives) - 1e-9))
    threshold = float(positives[needed - 1])
    return OperatingPoint(threshold, sensitivity, float((positives >= threshold).mean()))
