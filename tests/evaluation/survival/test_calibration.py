"""Predicted risks beside Kaplan-Meier estimates, with risks that are right and risks that are not."""

from __future__ import annotations

import numpy as np

from gdsfd.evaluation.survival.calibration import calibration_groups, excess_risk, groups_by_risk
from tests.evaluation.survival.times import censored_times

AT = 8.0


def test_true_risks_lie_on_the_diagonal() -> None:
    time, event, risk = censored_times(20_000)
    true = 1 - np.exp(-AT / 10 * np.exp(risk))
    found = calibration_groups(time, event, true, AT)
    assert [one.patients for one in found] == [2000] * 10
    np.testing.assert_allclose([one.observed for one in found], [one.predicted for one in found], atol=0.04)
    assert abs(excess_risk(time, event, true, AT)[0]) < 0.012


def test_risks_that_are_too_high_are_told() -> None:
    time, event, risk = censored_times(5000)
    true = 1 - np.exp(-AT / 10 * np.exp(risk))
    assert 0.08 < excess_risk(time, event, true * 0.8 + 0.2, AT)[0] < 0.16


def test_a_resample_is_the_sample_repeated() -> None:
    time, event, risk = censored_times(50, tied=True)
    chance = 1 / (1 + np.exp(-risk))
    weights = np.random.default_rng(0).integers(0, 3, (3, 50)).astype(float)
    for own, found in zip(weights, excess_risk(time, event, chance, 2.0, weights)):
        rows = np.repeat(np.arange(50), own.astype(int))
        np.testing.assert_allclose(found, excess_risk(time[rows], event[rows], chance[rows], 2.0)[0])


def test_a_group_that_nobody_of_is_followed_that_long() -> None:
    found = calibration_groups(np.array([1.0, 2.0]), np.array([0.0, 0.0]), np.array([0.1, 0.2]), 3.0, groups=1)
    assert found[0].patients == 2
    assert np.isnan(found[0].observed)


def test_no_excess_is_told_beyond_what_is_followed() -> None:
    time, event, risk = np.array([1.0, 2.0, 4.0]), np.array([1.0, 0.0, 0.0]), np.array([0.5, 0.2, 0.2])
    assert np.isnan(excess_risk(time, event, risk, 5.0)[0])
    np.testing.assert_allclose(excess_risk(time, event, risk, 4.0), [0.3 - 1 / 3])
    without_the_last = np.array([[1.0, 1.0, 0.0]])
    assert np.isnan(excess_risk(time, event, risk, 4.0, without_the_last)[0])
    # Of patients who all had the event it is known what comes later.
    np.testing.assert_allclose(excess_risk(time, np.ones(3), risk, 9.0), [0.3 - 1])


def test_groups_of_one_size_from_low_to_high() -> None:
    parts = groups_by_risk(np.array([0.3, 0.1, 0.2]), 10)
    assert [part.tolist() for part in parts] == [[1], [2], [0]]
