"""Average precision: exact limits with few positives, the spread over resamples with many."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit, logit

from gdsfd.evaluation.intervals.precision import RESAMPLED_ABOVE, average_precision_interval

RESAMPLED = expit(np.random.default_rng(0).normal(0.4, 0.3, 200))


@pytest.mark.parametrize("positives", [5, RESAMPLED_ABOVE])
def test_few_positives_have_the_limits_of_a_share(positives):
    known = stats.beta.ppf(
        [0.025, 0.975], [0.6 * positives, 0.6 * positives + 1], [0.4 * positives + 1, 0.4 * positives]
    )
    found = average_precision_interval(0.6, np.arange(positives), positives, resampled=RESAMPLED)
    assert found == pytest.approx(tuple(known))


def test_many_have_the_spread_of_their_logits():
    size = RESAMPLED_ABOVE + 1
    half = stats.t.ppf(0.975, size - 1) * np.std(logit(RESAMPLED), ddof=1)
    found = average_precision_interval(0.6, np.arange(size), size, resampled=np.append(RESAMPLED, np.nan))
    assert found == pytest.approx((expit(logit(0.6) - half), expit(logit(0.6) + half)))


def test_subjects_count_for_what_they_are_worth():
    twice = np.repeat(np.arange(20), 2)  # forty positives of twenty subjects are twenty
    assert average_precision_interval(0.6, twice, 20, resampled=RESAMPLED) == pytest.approx(
        average_precision_interval(0.6, np.arange(20), 20)
    )


@pytest.mark.parametrize("resampled", [None, np.full(50, np.nan), np.full(50, 0.6)])
def test_without_a_spread_it_is_the_share_again(resampled):
    many = np.arange(100)
    found = average_precision_interval(0.6, many, 100, resampled=resampled)
    assert found == pytest.approx(tuple(stats.beta.ppf([0.025, 0.975], [60, 61], [41, 40])))


def test_a_perfect_ranking_and_nobody():
    low, high = average_precision_interval(1.0, np.arange(100), 100, resampled=RESAMPLED)
    assert (low < 1, high) == (True, 1.0)
    assert all(math.isnan(end) for end in average_precision_interval(math.nan, np.arange(0), 0))
