"""Intervals of means against SciPy's t interval; subjects of several patients against sums by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from gdsfd.evaluation.intervals.means import mean_interval

VALUES = np.random.default_rng(0).gamma(2.0, 0.1, 12)


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_one_patient_per_subject_is_the_t_interval(level):
    known = stats.t.interval(level, 11, VALUES.mean(), stats.sem(VALUES))
    assert mean_interval(VALUES, np.arange(12), 12, level) == pytest.approx(known)


def test_few_of_the_rarer_class_take_their_degrees_of_freedom():
    wide = mean_interval(VALUES, np.arange(12), 3)
    known = stats.t.interval(0.95, 2, VALUES.mean(), stats.sem(VALUES))
    assert wide == pytest.approx(known)


def test_the_error_is_summed_by_subject():
    cluster = np.repeat([5, 9, 1, 7], [1, 2, 4, 5])
    totals = [sum(VALUES[cluster == one] - VALUES.mean()) for one in (1, 5, 7, 9)]
    error = math.sqrt(4 / 3 * sum(total**2 for total in totals)) / 12
    half = stats.t.ppf(0.975, 3) * error
    assert mean_interval(VALUES, cluster, 4) == pytest.approx((VALUES.mean() - half, VALUES.mean() + half))
    order = np.random.default_rng(1).permutation(12)
    assert mean_interval(VALUES[order], cluster[order], 4) == pytest.approx(mean_interval(VALUES, cluster, 4))


def test_on_the_log_scale_it_is_symmetric_there_and_above_zero():
    low, high = mean_interval(VALUES, np.arange(12), 2, above_zero=True)
    assert low * high == pytest.approx(VALUES.mean() ** 2)
    plain = mean_interval(VALUES, np.arange(12), 2)
    assert plain[0] < 0 < low
    assert math.log(high / low) == pytest.approx((plain[1] - plain[0]) / VALUES.mean())


@pytest.mark.parametrize(
    ("values", "cluster", "fewest"),
    [
        (VALUES, np.arange(12), 1),
        (VALUES, np.zeros(12, int), 5),
        (np.ones(12), np.arange(12), 5),
        (VALUES[:0],) * 2 + (5,),
    ],
)
def test_what_shows_no_spread_has_no_interval(values, cluster, fewest):
    assert all(math.isnan(end) for end in mean_interval(values, cluster.astype(np.int64), fewest))
