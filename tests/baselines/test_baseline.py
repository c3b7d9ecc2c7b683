"""A baseline from a plug-in is fitted with a model, survives its folder and stands in every table."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

import gdsfd
from gdsfd.baselines.baseline import BASELINES
from gdsfd.errors import InputError
from gdsfd.graph.from_cohort import graph_from_cohort
from tests.cohort_factory import make_cohort

PLUGIN = "tests.plugin_parts.counting_baseline"
QUICK = {"max_epochs": 1, "members": 1, "channels": 8, "accelerator": "cpu"}


@pytest.fixture
def counting(monkeypatch):
    BASELINES.names()
    monkeypatch.setattr(BASELINES, "_parts", dict(BASELINES._parts))
    monkeypatch.setattr(BASELINES, "_modules", dict(BASELINES._modules))
    sys.modules.pop(PLUGIN, None)
    import tests.plugin_parts.counting_baseline

    assert tests.plugin_parts.counting_baseline


def test_a_baseline_of_ones_own_goes_the_whole_way(counting, tmp_path):
    graph = graph_from_cohort(make_cohort(300))
    model = gdsfd.Debiaser(backbone="concat", seed=0, **QUICK).fit(graph)
    model.save(tmp_path / "run")
    assert (
        json.loads((tmp_path / "run" / "model.json").read_text())["record"]["baselines"]["counting"]["plugin"] == PLUGIN
    )
    read = gdsfd.Debiaser.load(tmp_path / "run")
    np.testing.assert_array_equal(
        read.record.baselines["counting"].predict_proba(graph, split="test"),
        model.record.baselines["counting"].predict_proba(graph, split="test"),
    )
    report = gdsfd.evaluate(read, graph, resamples=20, probes=False, progress=False)
    assert list(report.metrics["splits"]["test"]["models"]) == ["model", "boosting", "logistic", "counting"]
    assert "counting modalities" in report.html()

    load = f"import gdsfd; gdsfd.Debiaser.load({str(tmp_path / 'run')!r})"
    done = subprocess.run([sys.executable, "-c", load], capture_output=True, text=True)
    assert f"needs the baseline 'counting', which '{PLUGIN}' declares" in done.stderr
    assert f"--plugin {PLUGIN}" in done.stderr


def test_an_unknown_baseline_of_a_comparison_is_said():
    from gdsfd.comparison import compare

    with pytest.raises(InputError, match=r"unknown baseline 'boostin'\. Did you mean 'boosting'"):
        compare(graph_from_cohort(make_cohort(60)), baselines=["boostin"])
