"""The threshold: the highest that reaches a sensitivity on tuning rows."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gdsfd.training.run_record.operating_point import choose_threshold
from tests.evaluation.scores import made


@pytest.mark.parametrize("sensitivity", [0.5, 0.8, 0.99])
@pytest.mark.parametrize("ties", [False, True])
def test_the_highest_threshold_that_reaches_the_sensitivity(sensitivity, ties):
    y, p = made(300, ties=ties)
    point = choose_threshold(y, p, sensitivity)
    reached = {threshold: (p[y == 1] >= threshold).mean() for threshold in p}
    assert point.threshold == max(threshold for threshold, share in reached.items() if share >= sensitivity)
    assert point.reached == pytest.approx(reached[point.threshold])


def test_too_few_tuning_positives_give_no_threshold():
    point = choose_threshold(np.array([0.0] * 50 + [1.0] * 3), np.linspace(0, 1, 53))
    assert math.isnan(point.threshold)
    assert "among the tuning patients only 3 positive patients" in point.reason
