"""Corrected risks: the line of training applied by hand gives the same figures."""

from __future__ import annotations

import numpy as np
import pytest

import gdsfd
from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.report.sections.recalibrated import judge_recalibration
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.training.run_record.recalibration import RecalibrationLine
from tests.cohort_factory import make_cohort
from tests.evaluation.scores import Fixed


@pytest.fixture(scope="module")
def graph():
    return graph_from_cohort(make_cohort(400))


def test_figures_of_corrected_risks_by_hand(graph):
    p = np.random.default_rng(0).uniform(0.05, 0.95, 400)
    model = Fixed(graph, np.column_stack([1 - p, p]))
    line = RecalibrationLine(-1.0, 0.5)
    (found,) = judge_recalibration(model, graph, ["test"], [line], EvaluationConfig(resamples=50))
    rows = [row for row, split in enumerate(graph["patient"].split) if split == "test"]
    y = graph["patient"].y.numpy()[rows, 0]
    known = np.isfinite(y)
    odds = np.log(p[rows] / (1 - p[rows]))
    corrected = 1 / (1 + np.exp(1.0 - 0.5 * odds))
    for figures, risks in ((found.before, p[rows]), (found.after, corrected)):
        assert figures["brier"].value == pytest.approx(((risks - y)[known] ** 2).mean())
        assert figures["calibration_gap"].value == pytest.approx((risks - y)[known].mean())
    assert found.after["calibration_slope"].value == pytest.approx(found.before["calibration_slope"].value / 0.5)


def test_without_a_line_there_is_a_reason_and_without_lines_nothing(graph):
    model = Fixed(graph, np.full((400, 2), 0.5))
    (found,) = judge_recalibration(
        model, graph, ["test"], [RecalibrationLine(np.nan, np.nan, "no line: x")], EvaluationConfig(50)
    )
    assert found.after == {}
    assert found.to_dict()["reason"] == "no line: x"
    assert judge_recalibration(model, graph, ["test"], (), EvaluationConfig(50)) == []


def test_a_model_that_corrects_its_risks_is_shown_before_and_after():
    graph = graph_from_cohort(make_cohort(700))
    model = gdsfd.Debiaser("concat", max_epochs=2, channels=8, members=1, boosted_members=0, recalibrate="isotonic")
    model.fit(graph, progress=False, baselines=False)
    report = gdsfd.evaluate(model, graph, baselines=False, resamples=20, probes=False, progress=False)
    (told,) = report.metrics["splits"]["test"]["recalibrated"].values()
    assert told["method"] == "isotonic"
    rows = [row for row, split in enumerate(graph["patient"].split) if split == "test"]
    y = graph["patient"].y.numpy()[rows, 0]
    known = np.isfinite(y)
    for name, corrected in (("before", False), ("given", True)):
        p = model.predict_proba(graph, split="test", recalibrated=corrected)[:, 1]
        assert told[name]["brier"]["value"] == pytest.approx(((p - y)[known] ** 2).mean())
    page = report.html()
    assert "as the network gives them" in page
    assert "as given out (a rising curve)" in page
    assert "correction of the risks given out" in page
    assert "log loss out of fold: none" in page
