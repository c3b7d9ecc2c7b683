"""What a threshold does."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from gdsfd.evaluation.metrics.operating_point import rates
from tests.evaluation.scores import made


def test_rates_equal_the_confusion_matrix():
    y, p = made(300)
    (tn, fp), (fn, tp) = confusion_matrix(y, p >= 0.4)
    assert rates(y, p, 0.4) == pytest.approx(
        {"tpr": tp / (tp + fn), "fpr": fp / (fp + tn), "ppv": tp / (tp + fp), "flagged": (tp + fp) / 300}
    )


def test_nobody_flagged_or_nobody_positive_is_nan_and_not_zero():
    assert math.isnan(rates(np.array([0.0, 1.0]), np.array([0.1, 0.2]), 0.5)["ppv"])
    assert math.isnan(rates(np.array([0.0]), np.array([0.9]), 0.5)["tpr"])
    assert math.isnan(rates(np.array([1.0]), np.array([0.9]), 0.5)["fpr"])


def test_no_threshold_no_rates():
    assert all(math.isnan(value) for value in rates(np.array([1.0]), np.array([1.0]), math.nan).values())
