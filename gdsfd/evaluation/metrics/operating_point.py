"""What a threshold, fixed on tuning rows, means on other rows."""

from __future__ import annotations

from gdsfd.evaluation.metrics.formulas import Floats
from gdsfd.evaluation.metrics.metric import Sample, built_in_metrics
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
    sample = Sample(y, p, threshold)
    return {metric.name: metric.value(sample) for metric in built_in_metrics() if metric.at_threshold}
