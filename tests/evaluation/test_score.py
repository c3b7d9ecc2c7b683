"""Figures with intervals and reasons, differences, means over targets."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gdsfd.errors import InputError
from gdsfd.evaluation.bootstrap import SubjectBootstrap
from gdsfd.evaluation.operating_point import OperatingPoint
from gdsfd.evaluation.score import Rules, calibration_figures, difference, macro, score
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
    assert scored["brier"].has_interval


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


def test_a_difference_is_that_of_the_resamples():
    y, p = made(150)
    bootstrap = subjects(150)
    good = score(target(y, p), bootstrap, POINT)
    bad = score(target(y, np.random.default_rng(0).random(150)), bootstrap, POINT)
    gain = difference(good, bad, "auroc")
    assert gain.value == pytest.approx(good["auroc"].value - bad["auroc"].value)
    assert gain.low > 0
    assert difference(good, good, "auroc").high == 0
    none = difference(good, score(target([], []), bootstrap, POINT), "auroc")
    assert none.reason == "no labelled patient"


def test_the_mean_over_targets_and_what_undoes_it():
    bootstrap = subjects(100)
    one, two = (score(target(*made(100, seed=seed)), bootstrap, POINT) for seed in (0, 1))
    both = macro([one, two], ["a", "b"])
    assert both["auroc"].value == pytest.approx((one["auroc"].value + two["auroc"].value) / 2)
    assert both["auroc"].low < both["auroc"].value < both["auroc"].high
    dull = score(target([0.0] * 100, [0.5] * 100), bootstrap, POINT)
    broken = macro([one, dull], ["a", "b"])
    assert math.isnan(broken["auroc"].value)
    assert broken["auroc"].reason == "undefined for 1 of 2 targets (b: no positive patient)"
    assert broken["brier"].defined


def test_calibration_of_nobody_has_a_reason():
    figures = calibration_figures(target([], []), subjects(0), Rules())
    assert all(estimate.reason == "no labelled patient" for estimate in figures.values())


@pytest.mark.parametrize(("option", "value"), [("resamples", -1), ("level", 1.0), ("sensitivity", 0.0), ("bins", 1)])
def test_options_out_of_range_are_refused_by_name(option, value):
    with pytest.raises(InputError, match=f"{option}: expected"):
        Rules(**{option: value})
