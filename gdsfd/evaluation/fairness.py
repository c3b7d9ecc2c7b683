"""The same gaps through fairlearn, for users who trust that library's definitions; needs the extra ``fairness``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gdsfd.errors import InputError
from gdsfd.evaluation.metrics.formulas import Floats

__all__ = ["metric_frame"]


def metric_frame(y: Floats, p: Floats, groups: Sequence[str], threshold: float) -> Any:
    """A fairlearn ``MetricFrame`` of sensitivity, false positive rate and share flagged by group.

    Its ``.difference()`` are the TPR and FPR gaps, and ``.by_group`` the figures. Mind that fairlearn gives 0 for the
    sensitivity of a group without positives, where our own tables give NaN with a reason.

    Args:
        y: Labels, 0 or 1; [n].
        p: Probabilities; [n].
        groups: The group of each patient; [n].
        threshold: Patients at or above it are flagged.

    Raises:
        InputError: fairlearn is not installed.
    """
    try:
        from fairlearn.metrics import MetricFrame, false_positive_rate, selection_rate, true_positive_rate
    except ImportError as error:
        raise InputError("fairlearn is not installed; install it with: pip install 'gdsfd[fairness]'") from error
    figures = {"tpr": true_positive_rate, "fpr": false_positive_rate, "flagged": selection_rate}
    return MetricFrame(
        metrics=figures,
        y_true=y.astype(np.int64),
        y_pred=(p >= threshold).astype(np.int64),
        sensitive_features=np.asarray(groups, dtype=str),
    )
