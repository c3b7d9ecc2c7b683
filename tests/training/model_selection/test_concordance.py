"""Concordance inside groups against pairs counted one by one."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gdsfd.training.model_selection.concordance import concordance_gain
from gdsfd.training.model_selection.guard import _interval


def by_hand(y, score, group, weight) -> float:
    top = bottom = 0.0
    for i in range(len(y)):
        for j in range(len(y)):
            if y[i] == 1 and y[j] == 0 and group[i] == group[j]:
                share = weight[i] * weight[j]
                bottom += share
                top += share * (1.0 if score[i] > score[j] else 0.5 if score[i] == score[j] else 0.0)
    return top / bottom


def test_equals_pairs_counted_one_by_one() -> None:
    generator = np.random.default_rng(0)
    y = generator.integers(0, 2, 60)
    group = [str(name) for name in generator.integers(0, 3, 60)]
    first, second = generator.integers(0, 5, 60).astype(float), generator.normal(size=60)
    weight = generator.random(60) + 0.1
    subject = [str(name) for name in generator.integers(0, 40, 60)]
    found = concordance_gain(y, first, second, group, subject, weight)
    assert found.reference == pytest.approx(by_hand(y, first, group, weight))
    assert found.other == pytest.approx(by_hand(y, second, group, weight))
    assert found.low < found.difference < found.high
    assert set(found.groups) == {"0", "1", "2"}


def test_knowing_the_group_gains_nothing() -> None:
    y = np.array([0, 0, 1, 0, 1, 1] * 20)
    group = ["a", "a", "a", "b", "b", "b"] * 20
    knows = np.array([0.0 if name == "a" else 1.0 for name in group])
    assert concordance_gain(y, knows, knows, group, [str(i) for i in range(120)]).other == 0.5


def test_an_interval_covers_a_real_gain_and_excludes_zero() -> None:
    generator = np.random.default_rng(1)
    y = generator.integers(0, 2, 2000)
    noise = generator.normal(size=2000)
    found = concordance_gain(y, noise, y + noise, ["x"] * 2000, [str(i) for i in range(2000)])
    assert found.low > 0.15
    assert found.low < found.difference < found.high


def test_no_pairs() -> None:
    found = concordance_gain(np.zeros(3, int), np.ones(3), np.ones(3), ["a"] * 3, ["1", "2", "3"])
    assert found.pairs == 0
    assert math.isnan(found.reference)
    empty = concordance_gain(np.zeros(0, int), np.zeros(0), np.zeros(0), [], [])
    assert empty.pairs == 0


@pytest.mark.parametrize("positives", [1, 4])
def test_fewer_than_five_subjects_with_the_outcome_have_an_interval_that_says_nothing(positives):
    y = (np.arange(60) < positives).astype(np.int64)
    rng = np.random.default_rng(0)
    found = concordance_gain(y, rng.random(60), rng.random(60), ["a"] * 60, [str(row) for row in range(60)])
    assert (found.low, found.high) == (-1.0, 1.0)
    assert "no interval: fewer than 5 subjects" in _interval(found)


def test_the_interval_of_few_subjects_is_a_t_interval():
    rng = np.random.default_rng(1)
    y = (np.arange(40) < 6).astype(np.int64)
    reference, other = rng.normal(y, 1.0), rng.normal(y, 1.0)
    found = concordance_gain(y, reference, other, ["a"] * 40, [str(row) for row in range(40)])
    assert found.low < found.difference < found.high
    assert found.high - found.low > 0.2
    assert "95 % interval" in _interval(found)


def test_a_gain_as_large_as_can_be_noticed_is_noticed_four_times_in_five():
    rng = np.random.default_rng(5)
    size, draws, strength = 400, 120, 0.27

    def sample(gain: float):
        y = rng.integers(0, 2, size)
        base = rng.normal(size=size) + 0.8 * y
        other = base + gain * y + 0.5 * rng.normal(size=size)
        return concordance_gain(y, base, other, ["a"] * size, [str(each) for each in range(size)], resamples=100)

    found = [sample(strength) for _ in range(draws)]
    detectable, gain = np.mean([each.detectable for each in found]), np.mean([each.difference for each in found])
    noticed = np.mean([each.low > 0 for each in found])
    assert abs(gain - detectable) < 0.01, (gain, detectable)
    assert 0.65 < noticed < 0.92
    assert math.isnan(concordance_gain(np.array([0, 1]), np.zeros(2), np.ones(2), ["a"] * 2, ["1", "2"]).detectable)


@pytest.mark.parametrize("strength", [0.0, 0.5])
def test_the_interval_of_a_concordance_is_that_of_samples_drawn_anew(strength: float) -> None:
    rng = np.random.default_rng(6)
    size, draws = 200, 200

    def sample():
        y = rng.integers(0, 2, size)
        score = rng.normal(size=size) + strength * y
        return concordance_gain(y, rng.normal(size=size), score, ["a"] * size, [str(each) for each in range(size)])

    found = [sample() for _ in range(draws)]
    others = np.array([each.other for each in found])
    below = others - np.array([each.other_low for each in found])
    assert below.mean() == pytest.approx(1.97 * others.std(ddof=1), rel=0.12)
    if strength == 0:  # chance alone is taken for more in about one sample of forty
        assert np.mean([each.other_low > 0.5 for each in found]) < 0.06
    nothing = concordance_gain(np.array([0, 1]), np.zeros(2), np.ones(2), ["a"] * 2, ["1", "2"])
    assert math.isnan(nothing.other_low)
