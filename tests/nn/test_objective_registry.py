"""Objectives by name: what is known, what is refused."""

from __future__ import annotations

import pytest

from gdsfd.errors import InputError
from gdsfd.nn.objective_registry import build_objective, check_objective, known_objectives
from gdsfd.nn.streams.config import PRESETS, StreamConfig
from tests.nn.objectives.environments import network

BUILT_IN = ("group_dro", "irm", "mmd", "vrex")


def test_the_built_in_ones_are_known_and_each_is_a_mode() -> None:
    assert set(BUILT_IN) <= set(known_objectives())
    for name in BUILT_IN:
        assert PRESETS[name] == StreamConfig(streams=False, objective=name)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("vrexx", {}, r"debias setting 'objective': unknown objective 'vrexx'.*'vrex'"),
        ("vrex", {"wait": 2.0}, r"unknown option of the objective 'vrex': 'wait'"),
        ("vrex", {"weight": -1.0}, r"'weight'.*a number from 0 to 1,000,000, got -1.0"),
        ("group_dro", {"weight": 1.0}, r"unknown option of the objective 'group_dro'"),
        ("group_dro", {"margin": True}, r"unknown option of the objective 'group_dro'"),
        ("erm", {"weight": 1.0}, r"objective='erm' takes none"),
    ],
)
def test_what_is_refused(name: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_objective(name, options)


def test_what_is_filled_in_and_what_is_given() -> None:
    made = build_objective("irm", network(), (3, 2), True, 0.2, weight=7.0)
    assert (made.num_suspects, made.margin, made.stage_one(50), made.weight) == ((3, 2), True, 10, 7.0)
    check_objective("irm", {"weight": 7.0})


@pytest.mark.parametrize("other", [{"streams": True}, {"weight": "stratum"}])
def test_an_objective_goes_with_neither_streams_nor_weights(other: dict[str, object]) -> None:
    with pytest.raises(InputError, match=r"objective='irm'.*needs streams=False and weight='uniform'"):
        StreamConfig.read({"streams": False, "objective": "irm", **other})
    config = StreamConfig.read({"streams": False, "objective": "irm", "margin": True})
    assert config is not None
    assert config.uses_suspects
    assert not config.weighted
