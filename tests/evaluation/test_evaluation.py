"""``evaluate``: figures against scikit-learn, thresholds from tuning, several splits, files whole or not at all."""

from __future__ import annotations

import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from gdsfd.baselines.boosting import Boosting
from gdsfd.errors import InputError
from gdsfd.evaluation.evaluation import evaluate
from gdsfd.evaluation.report.report import _jsonable
from gdsfd.graph.from_cohort import graph_from_cohort
from tests.cohort_factory import make_cohort
from tests.evaluation.scores import QUICK, Fixed, probabilities


def test_headline_figures_equal_scikit_learn(graph, report):
    patient = graph["patient"]
    y = patient.y.numpy()[:, 0]
    rows = np.array([row for row, split in enumerate(patient.split) if split == "test" and not np.isnan(y[row])])
    p = probabilities(graph)[rows, 1]
    assert report.metrics["auroc"] == pytest.approx(roc_auc_score(y[rows], p))
    assert report.metrics["auprc"] == pytest.approx(average_precision_score(y[rows], p))
    assert report.metrics["brier"] == pytest.approx(brier_score_loss(y[rows], p))
    assert report.metrics["prevalence"] == pytest.approx(y[rows].mean())
    assert report.metrics["labelled"] == len(rows) < report.metrics["n"]
    inner = report.metrics["splits"]["test"]["models"]["model"]["metrics"]["auroc"]
    assert inner["low"] < inner["value"] < inner["high"]


def test_the_threshold_is_that_of_the_tuning_rows(graph, report):
    patient = graph["patient"]
    y, p = patient.y.numpy()[:, 0], probabilities(graph)[:, 1]
    tuning = np.array([split == "tuning" for split in patient.split])
    threshold = report.metrics["splits"]["test"]["models"]["model"]["targets"]["mortality"]["threshold"]["threshold"]
    positives = p[tuning & (y == 1)]
    assert (positives >= threshold).mean() >= 0.8
    assert (positives > threshold).mean() < 0.8
    test = np.array([split == "test" for split in patient.split])
    assert report.metrics["tpr"] == pytest.approx((p[test & (y == 1)] >= threshold).mean())


def test_the_better_model_is_seen_to_be_better(report):
    gain = report.metrics["splits"]["test"]["differences"]["noisier"]["auroc"]
    assert gain["low"] > 0


def test_the_same_seed_gives_the_same_report_and_neither_generator_moves(graph):
    import torch

    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    model = Fixed(graph, probabilities(graph))
    one, two = (evaluate(model, graph, seed=3, **QUICK) for _ in range(2))
    assert json.dumps(_jsonable(one.metrics)) == json.dumps(_jsonable(two.metrics))
    assert (torch.get_rng_state() == before[0]).all()
    assert (np.random.get_state()[1] == before[1]).all()  # noqa: NPY002
    assert list(one.metrics["splits"]["test"]["models"]) == ["model", "boosting", "logistic"]


@pytest.mark.parametrize("outcomes", ["multiclass", "multilabel"])
def test_several_targets(outcomes, tmp_path):
    graph = graph_from_cohort(make_cohort(500, outcomes=outcomes))
    report = evaluate(Boosting(max_trees=20).fit(graph), graph, baselines=False, **QUICK)
    targets = report.metrics["splits"]["test"]["models"]["model"]["targets"]
    assert len(targets) == (3 if outcomes == "multiclass" else 2)
    assert report.metrics["auroc"] == pytest.approx(
        np.mean([one["metrics"]["auroc"]["value"] for one in targets.values()])
    )
    assert ("accuracy" in report.metrics) == (outcomes == "multiclass")
    assert report.metrics["prevalence"] == pytest.approx(np.mean([one["prevalence"] for one in targets.values()]))
    assert report.metrics["positives"] is None
    assert report.metrics["mean_of"] == list(targets)
    report.save(tmp_path / "report")


def test_wrong_arguments_are_said(graph):
    model = Fixed(graph, probabilities(graph))
    with pytest.raises(InputError, match=r"'tset'\. Did you mean 'test'"):
        evaluate(model, graph, "tset")
    with pytest.raises(InputError, match="expected one or several different names"):
        evaluate(model, graph, ["test", "test"])
    with pytest.raises(InputError, match="the name 'model' is taken"):
        evaluate(model, graph, baselines={"model": model})
    with pytest.raises(InputError, match=r"model, split 'tuning': expected probabilities between 0 and 1"):
        evaluate(Fixed(graph, probabilities(graph) * 3), graph, baselines=False, **QUICK)


def test_a_bar_only_when_asked_or_on_a_terminal(graph, capsys):
    evaluate(Fixed(graph, probabilities(graph)), graph, baselines=False, resamples=0)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""
    evaluate(Fixed(graph, probabilities(graph)), graph, baselines=False, resamples=0, progress=True)
    assert "judging split test" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("choice", "verdict", "label"),
    [
        ("debiased", "debiased", "concat + full"),
        ("reference", "reference", "concat + full (declined: ERM)"),
        ("reference", "debiased", "concat + full (set by hand: ERM)"),
        ("debiased", "reference", "concat + full (forced)"),
    ],
)
def test_a_model_is_called_by_the_network_that_predicts(graph, choice, verdict, label):
    model = Fixed(graph, probabilities(graph))
    model.choice, model.guard = choice, SimpleNamespace(choice=verdict)
    model.describe = lambda: {"backbone": "concat", "debias": "full"}
    report = evaluate(model, graph, baselines={"other": Fixed(graph, probabilities(graph, 1))}, **QUICK)
    assert report.metrics["labels"] == {"model": label, "other": "other"}
    assert set(report.to_frame().model) == {label, "other"}
    assert set(report.to_frame(detail=True).model) == {label, "other"}
    assert f"Model “{label}”" in report.html()


@pytest.mark.parametrize("positives", [1, 4])
def test_a_few_positives_in_the_test_set_have_figures_but_no_interval(positives):
    own = graph_from_cohort(make_cohort(600, unlabelled=0))
    patient = own["patient"]
    test = np.flatnonzero(np.array(patient.split) == "test")
    patient.y[test] = 0.0
    patient.y[test[:: len(test) // positives][:positives]] = 1.0
    models = [Fixed(own, probabilities(own, seed)) for seed in range(2)]
    report = evaluate(models[0], own, baselines={"other": models[1]}, **QUICK)
    split = report.metrics["splits"]["test"]
    for arm in split["models"].values():
        for name in ("auroc", "auprc", "brier", "log_loss", "calibration_gap", "tpr"):
            found = arm["metrics"][name]
            assert (found["low"], found["high"]) == pytest.approx((math.nan, math.nan), nan_ok=True)
            assert f"only {positives} positive patient" in found["reason"]
    for name in ("auroc", "auprc", "brier", "log_loss"):
        assert math.isnan(split["differences"]["other"][name]["low"])
        assert "no interval below" in split["differences"]["other"][name]["reason"]
    page = report.html()
    assert "no interval below 5" in page
    assert "rule of thumb" not in page
    assert "How far that can be trusted cannot be said" in page
