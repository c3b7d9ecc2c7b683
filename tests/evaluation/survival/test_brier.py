"""Brier scores against a slow mean and scikit-survival; censoring does not move them."""

from __future__ import annotations

import numpy as np
import pytest

from gdsfd.evaluation.survival.brier import brier_over_time, integrated_brier
from gdsfd.evaluation.survival.kaplan_meier import kaplan_meier
from tests.evaluation.survival.times import censored_times


def test_against_a_slow_mean() -> None:
    time, event, _ = censored_times(40, tied=True)
    random = np.random.default_rng(2)
    survival, weights = random.random((40, 3)), random.integers(0, 3, (4, 40)).astype(float)
    times = np.array([1.0, 2.0, 3.0])
    found = brier_over_time(time, event, survival, times, weights)
    for number, own in enumerate(weights):
        rows = np.repeat(np.arange(40), own.astype(int))
        curve = kaplan_meier(time[rows], event[rows], censoring=True)
        for column, t in enumerate(times):
            total = 0.0
            for row in rows:
                if time[row] <= t and event[row]:
                    total += survival[row, column] ** 2 / curve.at(time[[row]], before=True)[0, 0]
                elif time[row] > t:
                    total += (1 - survival[row, column]) ** 2 / curve.at(np.array([t]))[0, 0]
            assert found[number, column] == pytest.approx(total / len(rows))


def test_nobody_is_followed_that_long() -> None:
    time, event = np.array([1.0, 2.0]), np.array([1.0, 0.0])
    assert np.isnan(brier_over_time(time, event, np.ones((2, 1)), np.array([3.0]))).all()


def test_a_study_that_ends_for_all_at_once_is_judged_up_to_its_end() -> None:
    """Without other censoring the score at the end is the plain mean, whether or not anybody is followed beyond."""
    random = np.random.default_rng(3)
    whole, survival = random.exponential(10, 200), random.random((200, 2))
    times = np.array([4.0, 8.0])
    ended = brier_over_time(np.minimum(whole, 8.0), (whole <= 8.0).astype(float), survival, times)[0]
    plain = ((survival - (whole[:, None] > times)) ** 2).mean(0)
    np.testing.assert_allclose(ended, plain)
    weights = random.integers(0, 3, (5, 200)).astype(float)
    assert np.isfinite(brier_over_time(np.minimum(whole, 8.0), (whole <= 8.0) * 1.0, survival, times, weights)).all()


def test_the_integral_is_a_mean_over_time() -> None:
    scores = np.array([[0.2, 0.2, 0.4]])
    assert integrated_brier(scores, np.array([1.0, 2.0, 4.0]))[0] == pytest.approx((0.1 + 0.2 + 0.6) / 4)


def test_as_scikit_survival_has_it() -> None:
    reference = pytest.importorskip("sksurv.metrics")
    from sksurv.util import Surv

    time, event, risk = censored_times(300)
    times = np.quantile(time, [0.2, 0.5, 0.8])
    survival = np.exp(-times[None] / 10 * np.exp(risk)[:, None])
    known = Surv.from_arrays(event == 1, time)
    _, expected = reference.brier_score(known, known, survival, times)
    np.testing.assert_allclose(brier_over_time(time, event, survival, times)[0], expected, atol=1e-9)


def test_independent_censoring_does_not_move_it() -> None:
    times = np.array([3.0, 8.0])
    random = np.random.default_rng(0)
    risk = random.normal(size=20_000)
    time = random.exponential(10 / np.exp(risk))
    survival = np.exp(-times[None] / 10 * np.exp(risk)[:, None])
    whole = brier_over_time(time, np.ones(20_000), survival, times)[0]
    end = random.exponential(10, 20_000)
    seen = brier_over_time(np.minimum(time, end), (time <= end).astype(float), survival, times)[0]
    assert (time > end).mean() > 0.4
    np.testing.assert_allclose(seen, whole, atol=0.006)
