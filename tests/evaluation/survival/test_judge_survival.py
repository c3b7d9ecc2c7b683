"""Figures of several models on the same patients, and how often their intervals hold the truth."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

import gdsfd
from gdsfd.cohort.schema import SurvivalFields
from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.metrics.bootstrap import SubjectBootstrap
from gdsfd.evaluation.survival.brier import brier_over_time, integrated_brier
from gdsfd.evaluation.survival.concordance import harrell, uno
from gdsfd.evaluation.survival.judge_survival import FEWEST_EVENTS, FIGURES, judge_splits, judge_survival
from gdsfd.training.survival_curve import survival_at
from tests.cohort.survival_exports import survival_frames, survival_spec
from tests.evaluation.survival.times import censored_times

FIELDS = SurvivalFields("death", "t", "e", (2.0, 5.0, 10.0, 20.0))
WIDTHS = np.diff([0.0, *FIELDS.cuts])


def hazards(risk: np.ndarray, factor: float = 1.0) -> np.ndarray:
    """True discrete hazards of exponential times, or ones that are too high."""
    return 1 - np.exp(-factor * WIDTHS[None] / 10 * np.exp(risk)[:, None])


def bootstrap(patients: int, resamples: int = 100, seed: int = 0) -> SubjectBootstrap:
    return SubjectBootstrap([str(number) for number in range(patients)], resamples, seed)


def test_figures_are_those_of_the_formulas() -> None:
    time, event, risk = censored_times(300)
    found = judge_survival(FIELDS, time, event, {"model": hazards(risk)}, bootstrap(300)).scores["model"]
    assert found.estimates["harrell"].value == pytest.approx(harrell(time, event, risk)[0])
    assert found.estimates["uno"].value == pytest.approx(uno(time, event, risk, 20.0)[0])
    grid = 20.0 * np.arange(1, 51) / 50
    survival = survival_at(FIELDS, hazards(risk), grid)
    brier = brier_over_time(time, event, survival, grid)
    assert found.estimates["integrated_brier"].value == pytest.approx(integrated_brier(brier, grid)[0])
    assert found.brier[0] == (pytest.approx(0.4), pytest.approx(brier[0, 0]))
    for name in FIGURES:
        one = found.estimates[name]
        assert one.low < one.value < one.high, name
        assert len(found.resampled[name]) == 100
    assert [third.patients for third in found.thirds] == [100, 100, 100]
    ends = [third.observed[-1][1] for third in found.thirds]
    assert ends == sorted(ends, reverse=True)


def test_splits_of_a_graph() -> None:
    graph = gdsfd.build_graph(survival_spec(survival_frames(300), intervals=4))
    model = SimpleNamespace(predict_proba=lambda graph, split: np.full((graph["patient"].split.count(split), 4), 0.2))
    test, tuning = judge_splits(graph, ["test", "tuning"], {"model": model}, EvaluationConfig(resamples=20))
    assert (test.split, tuning.split) == ("test", "tuning")
    assert test.patients == graph["patient"].split.count("test")
    assert test.scores["model"].estimates["uno"].value == 0.5


def test_differences_are_paired() -> None:
    time, event, risk = censored_times(300)
    noisy = risk + np.random.default_rng(1).normal(size=300)
    models = {"model": hazards(risk), "same": hazards(risk), "noisy": hazards(noisy), "high": hazards(risk, 3.0)}
    found = judge_survival(FIELDS, time, event, models, bootstrap(300))
    assert list(found.differences) == ["same", "noisy", "high"]
    same = found.differences["same"]["uno"]
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)
    assert found.differences["noisy"]["uno"].low > 0
    assert found.differences["high"]["uno"].value == pytest.approx(0)
    assert found.differences["high"]["integrated_brier"].high < 0
    assert found.differences["high"]["excess_risk"].value < -0.1


def test_the_order_of_patients_and_unlabelled_ones_change_nothing() -> None:
    time, event, risk = censored_times(80)
    plain = judge_survival(FIELDS, time, event, {"model": hazards(risk)}, bootstrap(80)).scores["model"]
    order = np.random.default_rng(0).permutation(80)
    t, e, r = (np.append(values[order], extra) for values, extra in ((time, np.nan), (event, np.nan), (risk, 0.0)))
    again = judge_survival(FIELDS, t, e, {"model": hazards(r)}, bootstrap(81))
    assert again.patients == 80
    for name in FIGURES:
        assert again.scores["model"].estimates[name].value == pytest.approx(plain.estimates[name].value)


@pytest.mark.parametrize(("events", "words"), [(3, "only 3 subjects with the event"), (0, "no two patients of whom")])
def test_too_few_for_an_interval(events: int, words: str) -> None:
    time, _, risk = censored_times(60, censoring=0.0)
    event = (np.argsort(np.argsort(time)) < events).astype(float)
    one = judge_survival(FIELDS, time, event, {"model": hazards(risk)}, bootstrap(60)).scores["model"].estimates["uno"]
    assert not one.has_interval
    assert words in one.reason


def test_follow_up_that_ends_before_the_horizon_is_judged_up_to_where_it_goes() -> None:
    time, event, risk = censored_times(400)
    shorter = np.minimum(time, 12.0), event * (time <= 12.0)
    found = judge_survival(FIELDS, *shorter, {"model": hazards(risk)}, bootstrap(400))
    assert (found.fields.cuts, found.to_dict()["horizon"]) == ((2.0, 5.0, 10.0), 10.0)
    early = SurvivalFields("death", "t", "e", (2.0, 5.0, 10.0))
    same = judge_survival(early, *shorter, {"model": hazards(risk)[:, :3]}, bootstrap(400))
    for name in FIGURES:
        one, other = (each.scores["model"].estimates[name] for each in (found, same))
        assert (one.value, one.low, one.high) == (other.value, other.low, other.high)
        assert math.isfinite(one.value)
    assert found.events == int((event[time <= 10.0] == 1).sum())
    whole = judge_survival(FIELDS, time, event, {"model": hazards(risk)}, bootstrap(400))
    assert whole.fields == FIELDS


def test_follow_up_that_ends_at_once_has_no_figures_of_the_horizon_and_says_why() -> None:
    time, event, risk = censored_times(400)
    time, event = np.minimum(time, 3.0), event * (time <= 3.0)
    one = judge_survival(FIELDS, time, event, {"model": hazards(risk)}, bootstrap(400)).scores["model"].estimates
    assert one["uno"].has_interval
    for name in ("integrated_brier", "brier_skill", "excess_risk"):
        assert one[name].reason == "nobody is followed to the horizon"


def test_where_nobody_has_the_event_one_curve_is_never_wrong() -> None:
    time, _, risk = censored_times(100)
    one = judge_survival(FIELDS, time + 20, np.zeros(100), {"model": hazards(risk)}, bootstrap(100)).scores["model"]
    assert one.estimates["brier_skill"].reason.startswith("nobody has the event up to the horizon")
    assert one.estimates["uno"].reason == "no two patients of whom it is known who had the event first"
    assert one.estimates["integrated_brier"].value > 0


def test_a_horizon_that_nobody_is_followed_to_is_warned_of() -> None:
    frames = survival_frames(300)
    graph = gdsfd.build_graph(survival_spec(frames, intervals=4))
    model = SimpleNamespace(predict_proba=lambda graph, split: np.full((graph["patient"].split.count(split), 4), 0.2))
    last = graph.schema.survival.cuts[-2]
    graph["patient"].event[graph["patient"].follow_up > last + 1] = 0
    graph["patient"].follow_up.clamp_(max=last + 1)
    with pytest.warns(
        UserWarning, match=r"split 'test': nobody is followed to the horizon of 'death', .* judged up to"
    ):
        (judged,) = judge_splits(graph, ["test"], {"model": model}, EvaluationConfig(resamples=20))
    assert judged.fields.horizon == last


def test_nobody_to_judge_by() -> None:
    nobody = np.full(3, np.nan)
    found = judge_survival(FIELDS, nobody, nobody, {"a": np.full((3, 4), 0.1), "b": np.full((3, 4), 0.2)}, bootstrap(3))
    assert found.patients == 0
    assert found.scores["a"].estimates["uno"].reason == "no labelled patient"
    assert math.isnan(found.differences["b"]["uno"].value)


def test_intervals_hold_the_true_figure() -> None:
    # as few events as intervals are given for; the truth is that of a large sample without censoring
    time, _, risk = censored_times(20_000, seed=99, censoring=0.0)
    whole = judge_survival(FIELDS, time, np.ones(20_000), {"m": hazards(risk + 0.5)}, bootstrap(20_000, 0))
    truth = {name: one.value for name, one in whole.scores["m"].estimates.items()}
    truth["harrell"] = float(harrell(*censored_times(10_000, seed=98, censoring=0.04))[0])  # it depends on censoring
    held = dict.fromkeys(truth, 0)
    trials = 120
    for trial in range(trials):
        seed = 1000 + trial
        while True:
            time, event, risk = censored_times(40, seed=seed, censoring=0.04)
            if (event[time <= 20] == 1).sum() >= FEWEST_EVENTS:
                break
            seed += 100_000
        if (event * (time <= 20) == 0).sum() < FEWEST_EVENTS:
            time, event, risk = (np.append(a, b) for a, b in zip((time, event, risk), censored_times(40, seed + 7)))
        patients = len(time)
        found = judge_survival(FIELDS, time, event, {"m": hazards(risk + 0.5)}, bootstrap(patients, 200, trial))
        for name, one in found.scores["m"].estimates.items():
            held[name] = held.get(name, 0) + (one.low <= truth.get(name, math.nan) <= one.high)
    shares = {name: held[name] / trials for name in truth}
    # 0.90 less two standard errors of 120 trials
    assert min(shares.values()) > 0.90 - 2 * math.sqrt(0.9 * 0.1 / trials), shares
