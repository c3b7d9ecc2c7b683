"""Both concordances against loops over pairs, and against scikit-survival; Uno's does not move with censoring."""

from __future__ import annotations

import numpy as np
import pytest

from gdsfd.evaluation.survival.concordance import harrell, uno
from gdsfd.evaluation.survival.kaplan_meier import kaplan_meier
from tests.evaluation.survival.times import censored_times


def slowly(time: np.ndarray, event: np.ndarray, risk: np.ndarray, weight: np.ndarray) -> float:
    right = total = 0.0
    for i in range(len(time)):
        for j in range(len(time)):
            if weight[i] and event[i] and (time[i] < time[j] or (time[i] == time[j] and not event[j])):
                total += weight[i]
                right += weight[i] * (1.0 if risk[i] > risk[j] else 0.5 if risk[i] == risk[j] else 0.0)
    return right / total


@pytest.mark.parametrize("tied", [False, True])
def test_against_loops_over_pairs(tied: bool) -> None:
    time, event, risk = censored_times(40, tied=tied)
    weights = np.random.default_rng(1).integers(0, 3, (4, 40)).astype(float)
    horizon = float(np.quantile(time, 0.7))
    ranked, weighted = harrell(time, event, risk, weights), uno(time, event, risk, horizon, weights)
    for number, own in enumerate(weights):
        rows = np.repeat(np.arange(40), own.astype(int))
        t, e, r = time[rows], event[rows], risk[rows]
        assert ranked[number] == pytest.approx(slowly(t, e, r, np.ones(len(rows))))
        followed = kaplan_meier(t, e, censoring=True).at(t, before=True)[0]
        inverse = np.where((t <= horizon) & (e == 1), 1 / np.maximum(followed, 1e-9) ** 2, 0.0)
        assert weighted[number] == pytest.approx(slowly(t, e, r, inverse))


def test_many_patients_are_worked_on_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    time, event, risk = censored_times(60)
    whole = harrell(time, event, risk)
    monkeypatch.setattr("gdsfd.evaluation.survival.concordance._PAIRS", 150)
    np.testing.assert_allclose(harrell(time, event, risk), whole)


def test_nobody_comparable_gives_none() -> None:
    assert np.isnan(harrell(np.array([1.0, 2.0]), np.zeros(2), np.ones(2))).all()
    assert np.isnan(uno(np.array([5.0, 6.0]), np.ones(2), np.ones(2), 1.0)).all()


def test_without_censoring_both_are_the_same() -> None:
    time, event, risk = censored_times(100, censoring=0.0)
    np.testing.assert_allclose(harrell(time, event, risk), uno(time, event, risk, time.max()))


def test_as_scikit_survival_has_them() -> None:
    reference = pytest.importorskip("sksurv.metrics")
    from sksurv.util import Surv

    time, event, risk = censored_times(300)
    assert harrell(time, event, risk)[0] == pytest.approx(
        reference.concordance_index_censored(event == 1, time, risk)[0], abs=1e-12
    )
    known = Surv.from_arrays(event == 1, time)
    horizon = float(np.quantile(time, 0.8))
    expected = reference.concordance_index_ipcw(known, known, risk, tau=horizon)[0]
    assert uno(time, event, risk, horizon)[0] == pytest.approx(expected, abs=1e-9)


def test_censoring_shifts_harrells_and_not_unos() -> None:
    # a risk that only tells early events: with later ones censored away, Harrell's looks at the early ones only
    random = np.random.default_rng(0)
    high = random.random(6000) < 0.5
    time = np.where(high, random.exponential(2, 6000), 4 + random.exponential(10, 6000))
    risk = np.where(time < 4, 1.0, 0.0) + random.normal(size=6000) * 0.8
    end = random.exponential(8, 6000)
    seen, event = np.minimum(time, end), (time <= end).astype(float)
    late = 15.0
    truth = uno(time, np.ones(6000), risk, late)[0]
    assert abs(uno(seen, event, risk, late)[0] - truth) < 0.01
    assert harrell(seen, event, risk)[0] - truth > 0.02
