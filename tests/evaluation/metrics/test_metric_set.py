"""Figures with intervals and reasons, differences, means over targets."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gdsfd.evaluation.metrics.bootstrap import SubjectBootstrap
from gdsfd.evaluation.metrics.metric_set import EvaluationConfig, calibration_figures, difference, macro, score
from gdsfd.evaluation.metrics.operating_point import OperatingPoint
from tests.evaluation.scores import made, target

POINT = OperatingPoint(0.4, 0.8, 0.8)


def subjects(n):
    return SubjectBootstrap([str(row) for row in range(n)], 200)


def test_every_figure_lies_in_its_interval():
    scored = score(target(*made(200)), subjects(200), POINT)
    assert set(scored.estimates) == {
        "auroc",
        "auprc",
        "brier",
        "log_loss",
        "calibration_gap",
        "tpr",
        "fpr",
        "ppv",
        "flagged",
    }
    for estimate in scored.estimates.values():
        assert estimate.low <= estimate.value <= estimate.high
        assert estimate.low < estimate.high
        assert estimate.reason == ""


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_one_class_gives_nan_with_a_reason_for_ranking_and_a_brier_score_all_the_same(value):
    scored = score(target([value] * 40, np.linspace(0, 1, 40)), subjects(40), POINT, 0.95, 30, 5)
    lacking, rate = ("no negative patient", "fpr") if value else ("no positive patient", "tpr")
    for name in ("auroc", "auprc"):
        assert math.isnan(scored[name].value)
        assert scored[name].reason == lacking
    assert math.isnan(scored[rate].value)
    assert "only 0" in scored[rate].reason
    assert scored["brier"].defined
    assert not scored["brier"].has_interval
    assert scored["brier"].reason == f"{lacking}: no interval below 10"


@pytest.mark.parametrize("n", [0, 1, 29])
def test_tiny_slices_have_no_figure_at_all(n):
    y, p = made(max(n, 1))
    scored = score(target(y[:n], p[:n]), subjects(n), POINT, 0.95, 30, 5)
    assert scored.n == n
    for estimate in scored.estimates.values():
        assert math.isnan(estimate.value)
        assert estimate.reason == (
            "no labelled patient" if n == 0 else f"only {n} labelled patient{'s' * (n > 1)} (fewer than 30)"
        )


def test_without_a_threshold_the_rates_say_why():
    scored = score(target(*made(60)), subjects(60), OperatingPoint(math.nan, 0.8, reason="no threshold: because"))
    assert scored["tpr"].reason == "no threshold: because"
    assert scored["auroc"].defined


def test_equal_scores_rank_at_a_half_and_say_so():
    scored = score(target([0.0, 1.0] * 20, [0.3] * 40), subjects(40), POINT)
    assert scored["auroc"].value == 0.5
    assert "the same score" in scored["auroc"].reason
    assert not scored["auroc"].has_interval
    assert scored["ppv"].reason == "nobody is flagged"


def test_no_resamples_give_figures_without_intervals():
    scored = score(target(*made(60)), SubjectBootstrap([str(row) for row in range(60)], 0), POINT)
    assert scored["auroc"].defined
    assert not scored["auroc"].has_interval
    assert "no interval" in scored["auroc"].reason


def test_a_difference_is_made_of_the_two_intervals_and_their_correlation_over_resamples():
    y, p = made(150)
    bootstrap = subjects(150)
    good = score(target(y, p), bootstrap, POINT)
    bad = score(target(y, 0.3 * p + 0.7 * np.random.default_rng(0).random(150)), bootstrap, POINT)
    gain = difference(good, bad, "auroc")
    a, b = good["auroc"], bad["auroc"]
    assert gain.value == pytest.approx(a.value - b.value)
    fewest = min(y.sum(), (1 - y).sum())
    r = np.corrcoef(good.resampled["auroc"], bad.resampled["auroc"])[0, 1] * (fewest - 1) / (fewest + 1)
    below, above = (a.value - a.low, b.high - b.value), (a.high - a.value, b.value - b.low)
    assert gain.low == pytest.approx(
        gain.value - math.sqrt(below[0] ** 2 + below[1] ** 2 - 2 * r * below[0] * below[1])
    )
    assert gain.high == pytest.approx(
        gain.value + math.sqrt(above[0] ** 2 + above[1] ** 2 - 2 * r * above[0] * above[1])
    )
    none = difference(good, score(target([], []), bootstrap, POINT), "auroc")
    assert none.reason == "no labelled patient"


def test_a_model_less_itself_has_no_interval_of_width_zero():
    scored = score(target(*made(150)), subjects(150), POINT)
    gain = difference(scored, scored, "auroc")
    assert gain.value == 0
    assert not gain.has_interval
    assert "do not differ" in gain.reason


def test_two_perfect_models_on_few_positives_are_not_shown_to_be_equal():
    y = np.array([1.0] * 6 + [0.0] * 30)
    one, two = (score(target(y, p), subjects(36), POINT) for p in (np.linspace(0.9, 0.1, 36), 0.1 + 0.8 * y))
    assert (one["auroc"].value, two["auroc"].value) == (1, 1)
    assert one["auroc"].low < 0.85
    gain = difference(one, two, "auroc")
    assert gain.low < -0.15 < 0.15 < gain.high


def test_the_mean_over_targets_is_that_of_the_targets_with_both_classes():
    bootstrap = subjects(100)
    targets = [target(*made(100, seed=seed), name) for seed, name in ((0, "a"), (1, "b"))]
    one, two = (score(each, bootstrap, POINT) for each in targets)
    both = macro([one, two], targets)
    assert both["auroc"].value == pytest.approx((one["auroc"].value + two["auroc"].value) / 2)
    assert both["auroc"].low < both["auroc"].value < both["auroc"].high
    assert (both.n, both.positives, both.mean_of) == (100, None, ("a", "b"))
    assert both.prevalence == pytest.approx((targets[0].y.mean() + targets[1].y.mean()) / 2)
    dull = target([0.0] * 100, [0.5] * 100, "dull")
    rest = macro([one, score(dull, bootstrap, POINT), two], [targets[0], dull, targets[1]])
    assert rest.mean_of == ("a", "b")
    for name in ("auroc", "auprc", "brier", "log_loss", "tpr"):
        assert rest[name].value == pytest.approx((one[name].value + two[name].value) / 2)


def test_a_mean_over_targets_of_one_class_each_has_no_ranking_figure_but_a_brier_score():
    targets = [target([0.0] * 40, [0.5] * 40, "a"), target([1.0] * 40, [0.5] * 40, "b")]
    found = macro([score(each, subjects(40), POINT) for each in targets], targets)
    assert found.mean_of == ("a", "b")
    assert found["auroc"].reason == "undefined for 2 of 2 targets (a: no positive patient)"
    assert found["brier"].value == pytest.approx(0.25)


def test_a_mean_has_no_interval_where_one_of_its_targets_has_none():
    y = np.array([1.0] * 2 + [0.0] * 98)
    targets = [target(*made(100), "a"), target(y, np.linspace(1, 0, 100), "b")]
    found = macro([score(each, subjects(100), POINT) for each in targets], targets)
    assert found["auroc"].defined
    assert not found["auroc"].has_interval
    assert found["auroc"].reason == "b: only 2 positive patients: no interval below 5"


def test_calibration_of_nobody_has_a_reason():
    figures = calibration_figures(target([], []), subjects(0), EvaluationConfig())
    assert all(estimate.reason == "no labelled patient" for estimate in figures.values())
