"""What a threshold, fixed on tuning rows, means on other rows."""

from __future__ import annotations

import math

import numpy as np

from gdsfd.evaluation.metrics.formulas import Floats, mean_or_nan
from gdsfd.training.run_record.operating_point import OperatingPoint, choose_threshold

__all__ = ["OperatingPoint", "choose_threshold", "rates"]


def rates(y: Floats, p: Floats, threshold: float) -> dict[str, float]:
    """What a threshold does: shares, each NaN where its denominator is empty.

    Args:
        y: Labels.
        p: Probabilities.
        threshold: Patients at or above it are flagged; NaN gives NaN everywhere.

    Returns:
        ``tpr`` (flagged among positives), ``fpr`` (flagged among negatives), ``ppv`` (positives among flagged),
        ``flagged`` (share flagged).
    """
    if math.isnan(threshold):
        return dict.fromkeys(("tpr", "fpr", "ppv", "flagged"), math.nan)
    flagged = (p >= threshold).astype(np.float64)
    return {
        "tpr": mean_or_nan(flagged[y == 1]),
        "fpr": mean_or_nan(flagged[y == 0]),
        "ppv": mean_or_nan(y[flagged == 1]),
        "flagged": mean_or_nan(flagged),
    }
