"""Limits of shares are those of SciPy's exact binomial interval, also between whole numbers."""

from __future__ import annotations

import math

import pytest
from scipy.stats import binom, binomtest

from gdsfd.evaluation.intervals.shares import share_interval


@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
@pytest.mark.parametrize(("hits", "size"), [(0, 5), (1, 5), (5, 5), (3, 40), (39, 40), (200, 1000)])
def test_whole_numbers(hits, size, level):
    known = binomtest(hits, size).proportion_ci(level, "exact")
    assert share_interval(hits / size, size, level) == pytest.approx((known.low, known.high))


def test_the_limits_are_where_the_tails_hold_what_they_should():
    low, high = share_interval(7 / 25, 25)
    assert binom.sf(6, 25, low) == pytest.approx(0.025)  # seven or more
    assert binom.cdf(7, 25, high) == pytest.approx(0.025)  # seven or fewer


def test_effective_sizes_lie_between_their_neighbours():
    ends = [share_interval(0.4, size) for size in (10, 12.5, 15)]
    assert ends[0][0] < ends[1][0] < ends[2][0] < 0.4 < ends[2][1] < ends[1][1] < ends[0][1]


@pytest.mark.parametrize(("share", "size"), [(0.5, 0), (math.nan, 5), (0.5, math.nan)])
def test_nobody_and_nothing_have_no_limits(share, size):
    assert all(math.isnan(end) for end in share_interval(share, size))
