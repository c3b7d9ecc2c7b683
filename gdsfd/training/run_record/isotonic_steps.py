"""A rising curve that corrects a model's risks, fitted on tuning patients and kept with the model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gdsfd.baselines.labels import Floats, why_undefined

__all__ = ["IsotonicSteps", "fit_isotonic"]

#: The fewest tuning patients with, and without, the outcome: a curve has as many parameters as it finds steps.
MIN_PER_CLASS = 30


@dataclass(frozen=True)
class IsotonicSteps:
    """Corner points, joined by straight lines; level outside of them.

    It never turns two patients round, but it can make their risks equal, so a ranking can lose a little.

    Args:
        risk: Risks as they are, ascending; [k].
        corrected: What they become, ascending; [k].
        reason: Why there is no curve.
    """

    risk: tuple[float, ...] = ()
    corrected: tuple[float, ...] = ()
    reason: str = ""

    def __call__(self, p: Floats) -> Floats:
        """The corrected risks; NaN where there is no curve.

        Args:
            p: Probabilities; [n].
        """
        return np.full(len(p), np.nan) if self.reason else np.interp(p, self.risk, self.corrected)


def fit_isotonic(y: Floats, p: Floats) -> IsotonicSteps:
    """Fits the curve by isotonic regression (Zadrozny and Elkan, 2002). Call it with tuning rows.

    Its risks stay within ``1 / (n + 2)`` and ``1 - 1 / (n + 2)``: ``n`` patients do not show that a risk is 0.

    Args:
        y: Labels, 0 or 1; [n].
        p: Probabilities; [n].

    Example:
        >>> curve = fit_isotonic(np.tile([0.0, 0.0, 1.0], 40), np.tile([0.2, 0.5, 0.5], 40))
        >>> curve(np.array([0.5])).round(2)
        array([0.5])
    """
    from sklearn.isotonic import IsotonicRegression  # slow to import

    why = why_undefined(y, min_per_class=MIN_PER_CLASS)
    if why:
        return IsotonicSteps(reason=f"no curve: among the tuning patients {why}")
    edge = 1 / (len(y) + 2)
    fitted = IsotonicRegression(y_min=edge, y_max=1 - edge, out_of_bounds="clip").fit(p, y)
    risk, corrected = fitted.X_thresholds_, fitted.y_thresholds_
    if len(risk) < 2 or corrected[-1] - corrected[0] < 1e-9:
        return IsotonicSteps(reason="no curve: among the tuning patients higher risks did not go with the outcome")
    return IsotonicSteps(tuple(map(float, risk)), tuple(map(float, corrected)))
