from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from gdsfd.comparison.statistics import holm, mean_estimate, paired, share_closed, tost


@pytest.fixture
def pairs() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(3)
    reference = random.normal(0.8, 0.02, 9)
    return reference + random.normal(0.006, 0.01, 9), reference


def test_interval_and_p_are_those_of_the_paired_t_test(pairs):
    values, reference = pairs
    found = paired(values, reference)
    known = stats.ttest_rel(values, reference)
    interval = known.confidence_interval(0.95)
    assert found.p == pytest.approx(known.pvalue)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.mean == pytest.approx((values - reference).mean())
    assert (found.wins, found.losses, found.n) == (int((values > reference).sum()), int((values < reference).sum()), 9)


@pytest.mark.parametrize("margin", [0.002, 0.01, 0.05])
def test_equivalence_is_two_one_sided_t_tests(pairs, margin):
    values, reference = pairs
    gap = values - reference
    below = stats.ttest_1samp(gap, -margin, alternative="greater").pvalue
    above = stats.ttest_1samp(gap, margin, alternative="less").pvalue
    assert tost(gap, margin) == pytest.approx(max(below, above))
    assert paired(values, reference, margin).equivalent == (max(below, above) < 0.05)


def test_verdicts():
    reference = np.linspace(0.7, 0.8, 10)
    wobble = np.tile([0.001, -0.001], 5)
    assert paired(reference + 0.002 + wobble, reference).verdict == "equivalent"
    assert paired(reference + 0.05 + wobble, reference).verdict == "better"
    assert paired(reference - 0.05 + wobble, reference).verdict == "worse"
    assert paired(reference + 20 * wobble, reference).verdict == "undecided"


def test_one_seed_has_a_figure_but_no_interval():
    found = paired([0.8], [0.7])
    assert found.mean == pytest.approx(0.1)
    assert math.isnan(found.low)
    assert math.isnan(found.p)
    assert not found.equivalent
    assert found.verdict == "no interval"
    assert mean_estimate([0.8]).value == 0.8
    assert not mean_estimate([0.8]).has_interval


def test_nothing_and_nan_are_left_out():
    assert math.isnan(paired([], []).mean)
    assert math.isnan(paired([math.nan], [0.5]).mean)
    found = paired([0.8, math.nan, 0.9], [0.7, 0.7, 0.7])
    assert found.n == 2
    assert found.mean == pytest.approx(0.15)
    assert not mean_estimate([math.nan]).defined


@pytest.mark.parametrize(
    ("values", "mean", "verdict"), [([0.7, 0.8], 0.0, "identical"), ([0.75, 0.85], 0.05, "no interval")]
)
def test_the_same_difference_on_every_seed_is_no_certainty(values, mean, verdict):
    found = paired(values, [0.7, 0.8])  # rounding makes the second pair's differences differ by 1e-17
    assert found.mean == pytest.approx(mean)
    assert (found.verdict, found.n) == (verdict, 2)
    assert all(math.isnan(one) for one in (found.low, found.high, found.p, found.p_equivalent))
    same = mean_estimate([0.8, 0.8, 0.8])
    assert same.value == 0.8
    assert same.reason == "the same on every seed: no interval"


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    adjusted = holm([math.nan, 0.02, 0.5])
    assert math.isnan(adjusted[0])
    assert adjusted[1:] == pytest.approx([0.04, 0.5])
    assert holm([]) == []


def test_holm_is_the_closed_test_of_all_sets_of_hypotheses():
    """Each hypothesis falls with every set that it is in; a set falls by Bonferroni."""
    p = np.random.default_rng(0).uniform(0, 0.3, 6).tolist()
    sets = [each for size in range(1, 7) for each in combinations(range(6), size)]
    closed = [
        max(min(1.0, len(each) * min(p[one] for one in each)) for each in sets if number in each) for number in range(6)
    ]
    assert holm(p) == pytest.approx(closed)


def test_share_of_the_distance_is_a_ratio_of_means():
    erm = np.array([0.80, 0.82, 0.78, 0.81])
    oracle = erm + np.array([0.10, 0.08, 0.12, 0.10])
    arm = erm + np.array([0.06, 0.04, 0.08, 0.06])
    found = share_closed(arm, erm, oracle)
    assert found.value == pytest.approx(0.6)
    assert found.low < 0.6 < found.high
    assert found.low > 0.45
    # Fieller by brute force: the shares whose residual mean is not shown to differ from 0.
    shares = np.linspace(0, 1.2, 24001)
    residuals = (arm - erm)[:, None] - shares * (oracle - erm)[:, None]
    held = shares[np.abs(residuals.mean(0)) <= stats.t.ppf(0.975, 3) * stats.sem(residuals, axis=0)]
    assert (found.low, found.high) == pytest.approx((held.min(), held.max()), abs=1e-4)


@pytest.mark.parametrize(
    ("oracle", "reason"),
    [([0.80, 0.82], "no distance"), ([0.79, 0.83], "no distance"), ([math.nan, math.nan], "no seed")],
)
def test_without_a_distance_no_share_of_it(oracle, reason):
    found = share_closed([0.85, 0.86], [0.80, 0.82], oracle)
    assert not found.defined
    assert reason in found.reason


def test_share_with_one_seed_has_no_interval():
    found = share_closed([0.85], [0.8], [0.9])
    assert found.value == pytest.approx(0.5)
    assert not found.has_interval


def test_an_interval_ends_where_the_figure_does():
    free, bound = mean_estimate([0.9, 0.99]), mean_estimate([0.9, 0.99], 0.0, 1.0)
    assert free.high > 1
    assert (bound.value, bound.low, bound.high) == (free.value, free.low, 1.0)
    assert mean_estimate([0.1, 0.2], 0.0, 1.0).low == 0.0
