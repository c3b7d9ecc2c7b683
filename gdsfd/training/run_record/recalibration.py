r"""A line that corrects a model's risks, fitted on tuning patients and kept with the model.

:math:`\operatorname{logit} p' = a + b \operatorname{logit} p`: the logistic recalibration of Cox (1958). It changes no
ranking, as long as :math:`b > 0`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from gdsfd.baselines.labels import Floats, why_undefined

__all__ = ["RecalibrationLine", "fit_recalibration"]

#: Probabilities are kept this far from 0 and 1 before their log-odds are taken.
CLIP = 1e-7
#: The fewest tuning patients with, and without, the outcome that a line of two parameters is fitted on.
MIN_PER_CLASS = 10


@dataclass(frozen=True)
class RecalibrationLine:
    """Intercept and slope on log-odds.

    Args:
        intercept: ``a``, NaN where no line was fitted.
        slope: ``b``.
        reason: Why there is no line.
    """

    intercept: float
    slope: float
    reason: str = ""

    def __call__(self, p: Floats) -> Floats:
        """The corrected risks; NaN where there is no line.

        Args:
            p: Probabilities; [n].
        """
        return expit(self.intercept + self.slope * logit(np.clip(p, CLIP, 1 - CLIP)))


def fit_recalibration(y: Floats, p: Floats) -> RecalibrationLine:
    """Fits the line by maximum likelihood. Call it with tuning rows.

    Args:
        y: Labels, 0 or 1; [n].
        p: Probabilities; [n].

    Example:
        >>> p = np.tile([0.2, 0.8], 50)
        >>> line = fit_recalibration(np.tile([0.0] * 6 + [0.0, 1.0, 1.0, 1.0], 10), p)
        >>> line.slope > 0
        True
    """
    why = why_undefined(y, min_per_class=MIN_PER_CLASS)
    if why:
        return RecalibrationLine(math.nan, math.nan, f"no line: among the tuning patients {why}")
    x = logit(np.clip(p, CLIP, 1 - CLIP))
    if np.ptp(x) < 1e-9:
        return RecalibrationLine(math.nan, math.nan, "no line: all tuning patients have the same risk")
    # On standardised log-odds the steps of the fit have one scale for cautious and for extreme models.
    centre, spread = float(x.mean()), float(x.std())
    design = np.column_stack([np.ones(len(x)), (x - centre) / spread])
    beta, step = np.zeros(2), np.full(2, np.inf)
    for _ in range(100):
        mean = expit(design @ beta)
        information = design.T @ (design * (mean * (1 - mean))[:, None])
        if not np.isfinite(information).all() or np.linalg.cond(information) > 1e12:
            break
        step = np.linalg.solve(information, design.T @ (y - mean))
        beta = beta + np.clip(step, -1.0, 1.0)  # plain Newton can overshoot from a poor start
        if np.abs(step).max() < 1e-10:
            break
    if not np.abs(step).max() < 1e-6 or np.abs(beta).max() > 30:
        return RecalibrationLine(math.nan, math.nan, "no line: its fit on the tuning patients has no finite solution")
    if beta[1] <= 0:
        return RecalibrationLine(
            math.nan, math.nan, "no line: among the tuning patients higher risks did not go with the outcome"
        )
    slope = float(beta[1]) / spread
    return RecalibrationLine(float(beta[0]) - slope * centre, slope)
