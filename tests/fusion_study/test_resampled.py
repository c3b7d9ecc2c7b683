from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from gdsfd.comparison.statistics import paired
from gdsfd.errors import InputError
from gdsfd.evaluation.metrics.formulas import auroc
from gdsfd.fusion_study.resampled import resampled


@pytest.fixture
def differences() -> np.ndarray:
    return np.random.default_rng(1).normal(0.02, 0.01, 7)


def test_the_corrected_interval_in_closed_form(differences):
    found = resampled(differences, 400, 100)
    error = math.sqrt(np.var(differences, ddof=1) * (1 / 7 + 0.25))
    known = stats.t(6, differences.mean(), error)
    assert (found.low, found.high) == pytest.approx(known.interval(0.95))
    assert found.p == pytest.approx(2 * stats.t.sf(abs(differences.mean()) / error, 6))
    below, above = stats.t.sf((found.mean + 0.01) / error, 6), stats.t.cdf((found.mean - 0.01) / error, 6)
    assert found.p_equivalent == pytest.approx(max(below, above))


def test_without_overlap_it_is_the_paired_t_test(differences):
    found, plain = resampled(differences, 1e12, 1), paired(differences, np.zeros(7))
    assert (found.low, found.high, found.p) == pytest.approx((plain.low, plain.high, plain.p))
    assert found.p_equivalent == pytest.approx(plain.p_equivalent)


def test_one_split_adds_the_draw_of_test_patients(differences):
    found = resampled(differences, 400, 100, within=np.full(7, 0.008), degrees_within=40, one_split=True)
    starts = np.var(differences, ddof=1) / 7
    assert found.error == pytest.approx(math.sqrt(starts + 0.008**2))
    assert found.degrees == pytest.approx((starts + 0.008**2) ** 2 / (starts**2 / 6 + 0.008**4 / 40))
    assert "one split" in found.method


def test_one_fit_has_the_interval_of_its_test_patients():
    found = resampled([0.03], 400, 100, within=[0.01], degrees_within=20)
    assert (found.low, found.high) == pytest.approx(stats.t.interval(0.95, 20, 0.03, 0.01))
    assert "one fit" in found.method
    assert math.isnan(resampled([0.03], 400, 100).low)
    assert resampled([0.03], 400, 100).verdict == "undecided"


@pytest.mark.parametrize(
    ("mean", "spread", "verdict"),
    [
        (0.03, 0.002, "better"),
        (-0.03, 0.002, "worse"),
        (0.008, 0.0005, "no difference"),  # its interval leaves out 0, but it is below the margin
        (0.008, 0.003, "undecided"),  # leaves out 0, is below the margin, and is not shown to be
        (0.03, 0.05, "undecided"),
        (0.0, 0.05, "undecided"),
    ],
)
def test_verdicts(mean, spread, verdict):
    assert resampled(mean + spread * np.array([-1, -0.5, 0, 0.5, 1]), 400, 100).verdict == verdict


def test_identical_and_constant_differences():
    assert resampled([0.0, 0.0, 0.0], 400, 100).verdict == "no difference"
    assert (
        resampled([0.0, 0.0, 0.0], 400, 100, within=[0.0] * 3, degrees_within=5, one_split=True).verdict
        == "no difference"
    )
    constant = resampled([0.02, 0.02], 400, 100)
    assert (constant.verdict, constant.mean) == ("undecided", 0.02)
    assert resampled([], 400, 100).verdict == "undecided"
    assert resampled([0.1, math.nan, 0.2], 400, 100).n == 2
    assert resampled([0.1], 400, 100).to_dict()["verdict"] == "undecided"


def test_what_is_refused():
    with pytest.raises(InputError, match="training and test patients of a split, got 0 and 10"):
        resampled([0.1, 0.2], 0, 10)
    with pytest.raises(InputError, match="one standard error for each of 2 differences, got 1"):
        resampled([0.1, 0.2], 10, 10, within=[0.1])


def test_overlapping_training_sets_are_allowed_for():
    """Ten splits of 200 patients: each difference is a mean over its test part and, less, over its training part."""
    random = np.random.default_rng(0)
    cohorts, splits, patients, test = 1000, 10, 200, 40
    tested = random.permuted(np.tile(np.arange(patients) < test, (cohorts, splits, 1)), axis=2)
    effect = random.normal(0, 1, (cohorts, 1, patients)) * 0.1
    learned = random.normal(0, 1, (cohorts, 1, patients)) * 0.05
    found = 0.02 + (effect * tested).sum(2) / test + (learned * ~tested).sum(2) / (patients - test)
    held = {"corrected": 0, "naive": 0}
    for one in found:
        own, naive = resampled(one, patients - test, test), paired(one, np.zeros(splits))
        held["corrected"] += own.low <= 0.02 <= own.high
        held["naive"] += naive.low <= 0.02 <= naive.high
    assert held["corrected"] / cohorts >= 0.9
    assert held["naive"] / cohorts < 0.85


def test_of_two_fitted_models_over_folds_nine_of_ten_intervals_hold_the_truth():
    """Two seeds of five folds; a model of five columns and one of two, both fitted on what the folds share."""
    cohorts, patients, folds, differences = 200, 200, 5, []
    random = np.random.default_rng(3)
    for _ in range(cohorts):
        y = (random.random(patients) < 0.4).astype(float)
        x = random.normal(size=(patients, 5)) + y[:, None] * np.array([0.6, 0.5, 0.3, 0.2, 0.1])
        own = []
        for fold in (random.permutation(np.arange(patients) % folds) for _ in range(2)):
            for test in (fold == number for number in range(folds)):
                ill = y[~test] == 1
                weights = x[~test][ill].mean(0) - x[~test][~ill].mean(0)
                areas = [auroc(y[test], x[test][:, :used] @ weights[:used]) for used in (5, 2)]
                own.append(areas[0] - areas[1])
        differences.append(own)
    truth = np.mean(differences)
    held = {"corrected": 0, "naive": 0}
    for own in differences:
        found, naive = resampled(own, 160, 40), paired(own, np.zeros(10))
        held["corrected"] += found.low <= truth <= found.high
        held["naive"] += naive.low <= truth <= naive.high
    assert held["corrected"] / cohorts >= 0.9
    assert held["naive"] / cohorts < 0.9


def test_equivalence_is_scipys_two_one_sided_tests_where_nothing_overlaps(differences):
    for margin in (0.01, 0.03):
        below = stats.ttest_1samp(differences, -margin, alternative="greater").pvalue
        above = stats.ttest_1samp(differences, margin, alternative="less").pvalue
        assert resampled(differences, 1e12, 1, margin).p_equivalent == pytest.approx(max(below, above))


def test_an_interval_ends_where_differences_do():
    found = resampled([0.3, 0.01], train=300, test=100)
    assert abs(found.mean) + found.error * stats.t.ppf(0.975, 1) > 1
    assert (found.low, found.high) == (-1.0, 1.0)
    assert found.verdict == "undecided"
