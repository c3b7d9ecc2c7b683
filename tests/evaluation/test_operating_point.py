"""The threshold and its rates."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from gdsfd.evaluation.operating_point import choose_threshold, rates
from tests.evaluation.scores import made


@pytest.mark.parametrize("sensitivity", [0.5, 0.8, 0.99])
@pytest.mark.parametrize("ties", [False, True])
def test_the_highest_threshold_that_reaches_the_sensitivity(sensitivity, ties):
    y, p = made(300, ties=ties)
    point = choose_threshold(y, p, sensitivity)
    reached = {threshold: (p[y == 1] >= threshold).mean() for threshold in p}
    assert point.threshold == max(threshold for threshold, share in reached.items() if share >= sensitivity)
    assert point.reached == pytest.approx(reached[point.threshold])


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


def test_too_few_tuning_positives_give_no_threshold():
    point = choose_threshold(np.array([0.0] * 50 + [1.0] * 3), np.linspace(0, 1, 53))
    assert math.isnan(point.threshold)
    assert "among the tuning patients only 3 positive patients" in point.reason
    assert all(math.isnan(value) for value in rates(np.array([1.0]), np.array([1.0]), point.threshold).values())
