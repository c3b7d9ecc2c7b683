"""Kaplan-Meier curves against a slow product, and against scikit-survival."""

from __future__ import annotations

import numpy as np
import pytest

from gdsfd.evaluation.survival.kaplan_meier import kaplan_meier
from tests.evaluation.survival.times import censored_times


def slowly(time: np.ndarray, event: np.ndarray, at: float, censoring: bool) -> float:
    survival = 1.0
    for moment in sorted(set(time[time <= at])):
        events = sum((time == moment) & (event == 1))
        others = sum((time == moment) & (event == 0))
        risk = sum(time >= moment)
        gone, among = (others, risk - events) if censoring else (events, risk)
        survival *= 1 - gone / among if among else 1.0
    return survival


@pytest.mark.parametrize("censoring", [False, True])
def test_against_a_slow_product_also_in_resamples(censoring: bool) -> None:
    time, event, _ = censored_times(40, tied=True)
    weights = np.random.default_rng(1).integers(0, 3, (5, 40)).astype(float)
    at = np.array([0.0, 1.0, 2.5, 4.0, 100.0])
    found = kaplan_meier(time, event, weights, censoring).at(at)
    for row, own in zip(found, weights):
        repeated = np.repeat(np.arange(40), own.astype(int))
        np.testing.assert_allclose(row, [slowly(time[repeated], event[repeated], t, censoring) for t in at])


def test_just_before_a_step() -> None:
    curve = kaplan_meier(np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    np.testing.assert_array_equal(curve.at(np.array([1.0, 2.0]), before=True), [[1.0, 0.5]])
    np.testing.assert_array_equal(curve.at(np.array([1.0, 2.0])), [[0.5, 0.0]])


def test_nobody() -> None:
    np.testing.assert_array_equal(kaplan_meier(np.zeros(0), np.zeros(0)).at(np.array([1.0])), [[1.0]])


@pytest.mark.parametrize("tied", [False, True])
def test_as_scikit_survival_has_it(tied: bool) -> None:
    reference = pytest.importorskip("sksurv.nonparametric")
    time, event, _ = censored_times(200, tied=tied)
    for censoring in (False, True):
        times, survival = reference.kaplan_meier_estimator(event == 1, time, reverse=censoring)
        np.testing.assert_allclose(kaplan_meier(time, event, censoring=censoring).at(times)[0], survival, atol=1e-12)
