"""``benchmarks/planted_studies.py`` with fewer patients and seeds: planted answers come out.

The image ordered by severity is in ``test_weights.py``, groups are in ``test_fairness.py``, small and fast.
"""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("planted_studies")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["interaction", "additive", "permuted", "useless", "linked missingness"])
def test_a_planted_answer_comes_out(script, name):
    lines = list(script.CASES[name][0](1, 1600, 3))
    assert [line["case"] for line in lines] == [name]
    for line in lines:
        assert line["holds"], line


def test_groups_alarm_when_they_should_and_only_then(script, monkeypatch):
    worlds = importlib.import_module("planted_fairness")
    monkeypatch.setattr(worlds, "PATIENTS", 1000)
    assert worlds.judged_world("half the events", 10, 150)["alarms"] <= 1
    assert worlds.judged_world("noisier sensor", 10, 150)["by_figure"]["auroc"]["gap"] > 0.04
