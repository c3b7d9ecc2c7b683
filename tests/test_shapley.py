"""Shapley values against the mean over all orders, and by what defines them."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from gdsfd.errors import InputError
from gdsfd.shapley import drawn_orders, sets_in, shapley, shapley_by_orders, subsets

NAMES = ("labs", "notes", "imaging", "ecg")


@pytest.fixture
def values():
    random = np.random.default_rng(0)
    return {each: random.uniform(0.5, 0.9, 3) for each in (frozenset(), *subsets(NAMES))}


def test_values_are_the_mean_over_all_orders(values):
    found = shapley(values, NAMES)
    for name in NAMES:
        gains = []
        for order in permutations(NAMES):
            before = frozenset(order[: order.index(name)])
            gains.append(values[before | {name}] - values[before])
        assert found[name] == pytest.approx(np.mean(gains, axis=0))
    by_orders = shapley_by_orders(values, list(permutations(NAMES)))
    for name in NAMES:
        assert by_orders[name] == pytest.approx(found[name])


def test_they_add_up_to_what_all_add_to_nothing(values):
    everything = values[frozenset(NAMES)] - values[frozenset()]
    assert sum(shapley(values, NAMES).values()) == pytest.approx(everything)
    few = drawn_orders(NAMES, 6, seed=1)
    assert few[0] == few[1][::-1]
    assert sum(shapley_by_orders(values, few).values()) == pytest.approx(everything)
    assert set(sets_in(few)) <= set(values)


def test_equals_get_the_same_and_the_idle_get_nothing():
    worth = {"labs": 1.0, "notes": 1.0, "imaging": 0.0, "ecg": 3.0}
    values = {each: 0.5 + sum(worth[name] for name in each) ** 2 for each in (frozenset(), *subsets(NAMES))}
    found = shapley(values, NAMES)
    assert found["labs"] == pytest.approx(found["notes"])
    assert found["imaging"] == pytest.approx(0)


def test_a_set_without_a_figure_is_named(values):
    del values[frozenset({"labs", "ecg"})]
    with pytest.raises(InputError, match=r"no figure of \['ecg', 'labs'\]"):
        shapley(values, NAMES)
