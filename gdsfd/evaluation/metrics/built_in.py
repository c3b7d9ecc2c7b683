"""The built-in metrics: each formula stands here once, for point values, resamples and intervals alike."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gdsfd.evaluation.intervals.auroc import auroc_interval
from gdsfd.evaluation.intervals.of_metric import average_precision_limits, class_limits, mean_limits, share_limits
from gdsfd.evaluation.metrics.formulas import Floats, auprc, auroc, log_losses, squared_errors
from gdsfd.evaluation.metrics.metric import METRICS, Metric, Sample
from gdsfd.evaluation.metrics.ranking import weighted_ranking

__all__: list[str] = []

_BINOMIAL = "exact binomial limits"
_T_ON_LOG = "t interval on the log scale, degrees of freedom of the rarer class"


def _ranking(y: Floats, p: Floats, weights: Floats) -> Mapping[str, Floats]:
    return dict(zip(("auroc", "auprc"), weighted_ranking(y, p, weights)))


def _every(sample: Sample) -> Floats:
    return np.ones_like(sample.y)


_ALL = (
    Metric(
        "auroc",
        "AUROC",
        point=lambda sample: auroc(sample.y, sample.p),
        ranking=_ranking,
        interval=class_limits(auroc_interval, ranking=True),
        interval_method="wider end of Newcombe's method 5 and of DeLong's on the logit scale",
        needs="both classes",
        compared=True,
        in_slices=True,
        in_gaps=True,
    ),
    Metric(
        "auprc",
        "Average precision",
        point=lambda sample: auprc(sample.y, sample.p),
        ranking=_ranking,
        interval=average_precision_limits,
        interval_method="exact binomial limits with the positives as sample; above 30 of them the logit with its "
        "spread over resamples",
        needs="both classes",
        compared=True,
        in_slices=True,
    ),
    Metric(
        "brier",
        "Brier score",
        ratio=lambda sample: (squared_errors(sample.y, sample.p), _every(sample)),
        interval=mean_limits(above_zero=True),
        interval_method=_T_ON_LOG,
        fewest=10,  # simulated coverage is below 90 % with fewer (benchmarks/interval_coverage.py)
        higher_is_better=False,
        compared=True,
        in_slices=True,
    ),
    Metric(
        "log_loss",
        "Log loss",
        ratio=lambda sample: (log_losses(sample.y, sample.p), _every(sample)),
        interval=mean_limits(above_zero=True),
        interval_method=_T_ON_LOG,
        fewest=10,
        higher_is_better=False,
        compared=True,
    ),
    Metric(
        "calibration_gap",
        "Predicted less observed",
        ratio=lambda sample: (sample.p - sample.y, _every(sample)),
        interval=mean_limits(above_zero=False),
        interval_method="t interval, degrees of freedom of the rarer class",
        higher_is_better=None,
        in_slices=True,
    ),
    Metric(
        "tpr",
        "Share found",
        ratio=lambda sample: (sample.flagged * sample.y, sample.y),
        interval=share_limits,
        interval_method=_BINOMIAL,
        needs="positives",
        at_threshold=True,
        as_percent=True,
        in_slices=True,
        in_gaps=True,
        phrase="found among those with the outcome (sensitivity)",
    ),
    Metric(
        "fpr",
        "Share falsely flagged",
        ratio=lambda sample: (sample.flagged * (1 - sample.y), 1 - sample.y),
        interval=share_limits,
        interval_method=_BINOMIAL,
        needs="negatives",
        at_threshold=True,
        higher_is_better=False,
        as_percent=True,
        in_slices=True,
        in_gaps=True,
        phrase="flagged among those without",
    ),
    Metric(
        "ppv",
        "Positive predictive value",
        ratio=lambda sample: (sample.flagged * sample.y, sample.flagged),
        interval=share_limits,
        interval_method=_BINOMIAL,
        needs="flagged",
        at_threshold=True,
        as_percent=True,
        phrase="with the outcome among those flagged",
    ),
    Metric(
        "flagged",
        "Share flagged",
        ratio=lambda sample: (sample.flagged, _every(sample)),
        interval=share_limits,
        interval_method=_BINOMIAL,
        at_threshold=True,
        higher_is_better=None,
        as_percent=True,
        phrase="flagged of all",
    ),
    Metric(
        "accuracy",
        "Accuracy",
        ratio=lambda sample: (sample.y, _every(sample)),  # y: whether the most probable class is the right one
        interval=share_limits,
        interval_method=_BINOMIAL,
        needs="classes",
        compared=True,
    ),
)
for _metric in _ALL:
    METRICS.register(_metric.name)(_metric)
