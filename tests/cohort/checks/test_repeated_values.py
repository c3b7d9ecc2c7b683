"""A number that is filled in for blanks, cut off at or rounded to, is told where training hardly had it."""

from __future__ import annotations

import numpy as np
import pytest

from gdsfd.cohort.checks.repeated_values import largest_share, repeated_value
from gdsfd.cohort.columns.scales import numeric_scales
from gdsfd.cohort.schema import NumericScale
from tests.cohort.checks.test_ranges import numbers

WBC = np.round(np.random.default_rng(0).gamma(9, 1, 200), 2)


def scale_of(values: np.ndarray) -> NumericScale:
    return numeric_scales(values[:, None].astype(np.float32), np.ones(len(values), bool))[0]


@pytest.mark.parametrize("seed", range(20))
def test_the_largest_share_is_never_below_the_share(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.gamma(2, 3, 500).round(int(rng.integers(0, 3)))
    scale = scale_of(values)
    found, counts = np.unique(values.astype(np.float32), return_counts=True)
    inside = (found > scale.quantiles[0]) & (found < scale.quantiles[-1])
    for value, count in zip(found[inside], counts[inside]):
        assert count / 500 <= largest_share(scale, float(value)) + 2 / 500  # quantiles lie between two values


@pytest.mark.parametrize(
    ("now", "number"),
    [
        (np.where(np.arange(200) % 5 < 2, 9.1, WBC), "40% of the values are 9.1, which were at most 10%"),
        (np.where(np.arange(200) % 5 < 1, 0, WBC), "20% of the values are 0, which were at most 1% in training"),
        (np.minimum(WBC, np.quantile(WBC, 0.6)), "which were at most 10% in training: filled in where nothing"),
    ],
)
def test_blanks_filled_in_and_values_cut_off_are_told(now: np.ndarray, number: str) -> None:
    (text,) = numbers(WBC, now)
    assert number in text


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (WBC, WBC[::-1]),
        (WBC, np.where(np.arange(200) < 15, 9.1, WBC)),  # a few
        (np.where(np.arange(200) % 5 < 2, 0, WBC), np.where(np.arange(200) % 5 < 2, 0, WBC[::-1])),  # as in training
        (np.where(np.arange(200) % 5 < 1, 0, WBC), np.where(np.arange(200) % 10 < 3, 0, WBC)),  # 20 % there, 30 % here
        (np.arange(200) % 4, np.where(np.arange(200) < 150, 3, np.arange(200) % 4)),  # a score
        (np.arange(200) % 2, np.ones(200)),  # a flag
    ],
)
def test_what_training_had_and_scores_are_not(before: np.ndarray, now: np.ndarray) -> None:
    assert [text for text in numbers(before, now) if "of the values are" in text] == []


def test_a_few_values_are_not_judged() -> None:
    assert repeated_value(np.full(19, 9.1, np.float32), scale_of(WBC)) is None
    assert repeated_value(np.full(20, 9.1, np.float32), scale_of(WBC)) is not None
    assert repeated_value(np.full(20, 9.1, np.float32), scale_of(WBC[:19])) is None
