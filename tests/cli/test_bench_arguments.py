"""Sizes of ``gdsfd bench``: an option that is given stands, then those of --quick, then the benchmark's."""

from __future__ import annotations

import pytest

from gdsfd.cli import main
from gdsfd.cli.bench_arguments import DEFAULTS, QUICK, QUICK_REPETITIONS, QUICK_TURNS, REPETITIONS, TURNS, fill
from gdsfd.cli.entry import make_parser


def test_quick_and_default_sizes_are_options_that_exist():
    for name in DEFAULTS:
        given = vars(make_parser().parse_args(["bench", name]))
        assert set(QUICK[name]) | set(DEFAULTS[name]) <= set(given)


def test_a_benchmark_is_needed(capsys):
    assert main(["bench"]) == 2
    assert "BENCHMARK" in capsys.readouterr().err


def filled(*words: str) -> dict[str, object]:
    arguments = make_parser().parse_args(["bench", *words])
    fill(arguments)
    return vars(arguments)


@pytest.mark.parametrize("name", DEFAULTS)
def test_nothing_given_is_the_benchmark_s_size(name):
    found = filled(name)
    assert {key: found[key] for key in DEFAULTS[name]} == DEFAULTS[name]
    assert (found["turns"], found["repetitions"]) == (TURNS, REPETITIONS)


@pytest.mark.parametrize("name", QUICK)
def test_quick_is_smaller_and_leaves_the_rest(name):
    found = filled(name, "--quick")
    assert {key: found[key] for key in QUICK[name]} == QUICK[name]
    others = DEFAULTS[name].keys() - QUICK[name].keys()
    assert {key: found[key] for key in others} == {key: DEFAULTS[name][key] for key in others}
    assert (found["turns"], found["repetitions"]) == (QUICK_TURNS, QUICK_REPETITIONS)


def test_what_is_given_stands():
    found = filled("train-step", "--quick", "--patients", "64", "--turns", "5", "--modalities", "2")
    assert (found["patients"], found["turns"], found["modalities"], found["batch"]) == (64, 5, 2, 256)
