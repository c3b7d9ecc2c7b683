"""Streams of random numbers by name: no knob shifts another's draws, and a seed means the same tomorrow."""

from __future__ import annotations

import numpy as np
import pytest

from gdsfd.simulation.streams import stream


def test_the_same_seed_and_name_give_the_same_numbers() -> None:
    first, second = stream(3, "labs.presence"), stream(3, "labs.presence")
    first.random(5)  # how much one has drawn does not matter to the other
    np.testing.assert_array_equal(second.random(5), stream(3, "labs.presence").random(5))


def test_other_names_and_seeds_give_unrelated_numbers() -> None:
    draws = [
        stream(seed, name).standard_normal(4000) for seed in (0, 1) for name in ("labs.presence", "labs.values", "age")
    ]
    correlation = np.corrcoef(draws)
    assert np.abs(correlation - np.eye(6)).max() < 0.08  # five standard errors


def test_the_global_generator_is_left_alone() -> None:
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    stream(0, "a").random(10)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


@pytest.mark.parametrize(
    ("seed", "name", "expected"),
    [
        (0, "labs.presence", [154, 428, 553, 447]),
        (7, "labs.presence", [406, 210, 216, 703]),
        (0, "admissions", [367, 263, 353, 372]),
    ],
)
def test_published_cohorts_can_be_drawn_again(seed: int, name: str, expected: list[int]) -> None:
    assert stream(seed, name).integers(0, 1000, 4).tolist() == expected
