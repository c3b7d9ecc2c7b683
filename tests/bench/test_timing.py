"""Contestants take turns. Nothing here is about how long anything takes."""

from __future__ import annotations

import time

import pytest

from gdsfd.bench.timing import Timing, in_turns, timed


def test_quartiles():
    timing = Timing([4.0, 1.0, 2.0, 3.0, 5.0])
    assert timing.fields() == {"seconds": 3.0, "seconds_low": 2.0, "seconds_high": 4.0, "repetitions": 5}


def test_turns_alternate_and_change_direction():
    order: list[str] = []
    calls = {name: lambda name=name: (order.append(name), time.sleep(0.021)) for name in "ab"}
    found = in_turns(calls, turns=3)
    assert {name: len(timing.seconds) for name, timing in found.items()} == {"a": 3, "b": 3}
    runs = [name for place, name in enumerate(order) if place == 0 or order[place - 1] != name]
    assert "".join(runs) == "ababab"[: len(runs)]
    turns = "".join(order)[4:]  # after the calls before
    assert turns.index("a") < turns.index("b")
    assert turns.rindex("b") > turns.rindex("a")


def test_a_small_budget_means_fewer_turns_but_three():
    found = in_turns({"slow": lambda: time.sleep(0.03)}, turns=50, budget=0.1)
    assert len(found["slow"].seconds) == 3


def test_a_call_that_sleeps_is_timed_for_at_least_that_long():
    assert timed(lambda: time.sleep(0.01), 1, 1, "cpu") >= 0.01


def test_threads_are_as_before():
    import torch

    before = torch.get_num_threads()
    timed(lambda: None, 1, before + 1, "cpu")
    assert torch.get_num_threads() == before


def test_an_error_of_a_contestant_comes_through():
    def broken() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        in_turns({"broken": broken}, turns=1)
