"""Points of ROC, precision-recall and calibration curves, few enough to draw."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve, roc_curve

from gdsfd.evaluation.metrics.calibration import calibration_bins
from gdsfd.evaluation.metrics.formulas import why_undefined
from gdsfd.evaluation.targets import Target

__all__ = ["curves_of"]

Points = list[tuple[float, float]]


def curves_of(target: Target, bins: int = 10, most: int = 240) -> dict[str, Any]:
    """The three curves of one target.

    Args:
        target: Labels and probabilities.
        bins: Bins of the calibration curve.
        most: The most points kept of a curve.

    Returns:
        ``roc`` (false positive rate, sensitivity), ``pr`` (sensitivity, precision), ``calibration`` (predicted,
        observed) as lists of points, ``count`` (patients per calibration bin); empty lists where undefined.
    """
    y, p = target.y, target.p
    calibration = calibration_bins(y, p, bins)
    result: dict[str, Any] = {
        "roc": [],
        "pr": [],
        "calibration": _points(calibration.predicted, calibration.observed, most),
        "count": calibration.count.astype(int).tolist(),
    }
    if why_undefined(y):
        return result
    fpr, tpr, _ = roc_curve(y, p)
    precision, recall, _ = precision_recall_curve(y, p)
    result["roc"] = _points(fpr, tpr, most)
    # scikit-learn ends the curve at precision 1 and recall 0, where nobody is flagged; that point is no observation.
    result["pr"] = _points(recall[:-1][::-1], precision[:-1][::-1], most)
    return result


def _points(x: NDArray[np.float64], y: NDArray[np.float64], most: int) -> Points:
    keep = np.unique(np.linspace(0, len(x) - 1, most).round().astype(int)) if len(x) > most else np.arange(len(x))
    return [(round(float(x[at]), 5), round(float(y[at]), 5)) for at in keep]
