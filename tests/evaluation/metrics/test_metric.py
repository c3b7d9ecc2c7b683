"""A metric of one's own, registered or handed in, goes all the way to files and pages."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from sklearn.metrics import f1_score

from gdsfd.errors import InputError
from gdsfd.evaluation.evaluation import evaluate
from gdsfd.evaluation.intervals.of_metric import percentile_limits
from gdsfd.evaluation.metrics.metric import METRICS, Metric, Sample, built_in_metrics, metrics_beside_built_in
from gdsfd.graph.from_cohort import graph_from_cohort
from tests.cohort_factory import make_cohort
from tests.evaluation.scores import Fixed, made

QUICK = {"resamples": 40, "progress": False}


def f1(sample):
    """2 TP / (2 TP + FP + FN) is a ratio of sums."""
    return 2 * sample.flagged * sample.y, sample.flagged + sample.y


F1 = Metric(
    "f1", "F1 score", ratio=f1, interval=percentile_limits, fewest=10, at_threshold=True, compared=True,
    in_slices=True, in_gaps=True, phrase="F1 score at the threshold",
)  # fmt: skip


@pytest.fixture
def registered(monkeypatch):
    METRICS.names()
    monkeypatch.setattr(METRICS, "_parts", dict(METRICS._parts))
    monkeypatch.setattr(METRICS, "_modules", dict(METRICS._modules))
    METRICS.register("f1")(F1)


@pytest.fixture(scope="module")
def graph():
    return graph_from_cohort(make_cohort(500))


def judged(graph, **options):
    rng = np.random.default_rng(0)
    y = np.nan_to_num(graph["patient"].y.numpy()[:, 0], nan=0.5)
    models = []
    for noise in (1.0, 2.0):
        p = 1 / (1 + np.exp(-(2 * y - 1.5 + noise * rng.normal(size=len(y)))))
        models.append(Fixed(graph, np.column_stack([1 - p, p])))
    return evaluate(models[0], graph, baselines={"other": models[1]}, **QUICK, **options)


def test_its_value_is_that_of_scikit_learn():
    y, p = made(90)
    assert F1.value(Sample(y, p, 0.4)) == pytest.approx(f1_score(y, p >= 0.4))
    assert np.isnan(F1.value(Sample(y, p)))


def test_a_registered_metric_is_in_files_and_on_the_page(graph, registered, tmp_path):
    report = judged(graph)
    report.save(tmp_path / "report")
    stored = json.loads((tmp_path / "report" / "metrics.json").read_text())
    arm = stored["splits"]["test"]["models"]["model"]
    assert stored["f1"] == arm["metrics"]["f1"]["value"] > 0
    assert arm["metrics"]["f1"]["low"] < stored["f1"] < arm["metrics"]["f1"]["high"]
    target = arm["targets"]["mortality"]
    assert all("f1" in one["metrics"] for one in target["slices"])
    assert any(gap["figure"] == "f1" for gap in target["gaps"])
    assert stored["splits"]["test"]["differences"]["other"]["f1"]["value"] > 0
    assert set(report.to_frame(detail=True).query("metric == 'f1'").kind) > {"all", "difference", "environment"}
    assert report.to_frame().f1[0] == report.metrics["f1"]
    page = (tmp_path / "report" / "report.html").read_text()
    assert page.count('<th class="n">F1 score</th>') > 2
    assert "<dt>F1 score at the threshold</dt>" in page
    assert "For F1 score a difference above 0 does." in page


def test_one_that_is_handed_in_is_as_good_and_leaves_the_others_as_they_are(graph):
    plain, own = judged(graph), judged(graph, metrics=[F1])
    assert "f1" not in plain.metrics
    assert "f1" in own.metrics
    assert {name: own.metrics[name] for name in ("auroc", "tpr", "ece")} == {
        name: plain.metrics[name] for name in ("auroc", "tpr", "ece")
    }


def test_a_metric_without_an_interval_says_so(graph):
    bare = Metric("plain_f1", "F1 score", ratio=f1, at_threshold=True)
    found = judged(graph, metrics=[bare]).metrics["splits"]["test"]["models"]["model"]["metrics"]["plain_f1"]
    assert found["reason"] == "no interval: none is known for F1 score"


def test_wrong_metrics_are_said(graph):
    with pytest.raises(InputError, match=r"metrics: unknown metric 'aurock'\. Did you mean 'auroc'"):
        judged(graph, metrics=["aurock"])
    with pytest.raises(InputError, match="the name 'brier' is taken"):
        metrics_beside_built_in([Metric("brier", "mine", ratio=f1)])
    with pytest.raises(InputError, match=re.escape("expected `ratio`, or `point` and `ranking`")):
        Metric("empty", "Empty")
    assert metrics_beside_built_in(["auroc"]) == ()


def test_a_plug_in_knows_where_its_metric_is_from(registered):
    assert METRICS.plugin_of("f1") == __name__
    assert METRICS.plugin_of("auroc") is None
    assert "f1" not in [metric.name for metric in built_in_metrics()]


def test_a_metric_does_not_take_the_place_of_another_entry(graph):
    with pytest.raises(InputError, match=r"metric 'prevalence': .* another entry of this name"):
        judged(graph, metrics=[Metric("prevalence", "F1 score", ratio=f1)])
