"""Models on a split: thresholds, accuracy, what cannot be judged."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gdsfd.errors import InputError
from gdsfd.evaluation.evaluation import evaluate
from gdsfd.graph.from_cohort import graph_from_cohort
from tests.cohort_factory import make_cohort
from tests.evaluation.scores import QUICK, Fixed, probabilities


def test_accuracy_of_classes_equals_the_share_of_right_answers():
    graph = graph_from_cohort(make_cohort(300, outcomes="multiclass"))
    answer = np.random.default_rng(0).dirichlet(np.ones(3), 300)
    report = evaluate(Fixed(graph, answer), graph, baselines=False, **QUICK)
    y = graph["patient"].y.numpy()
    rows = [row for row, split in enumerate(graph["patient"].split) if split == "test" and y[row] >= 0]
    assert report.metrics["accuracy"] == pytest.approx((answer[rows].argmax(1) == y[rows]).mean())


def test_splits_without_labels_or_positives_have_reasons(graph):
    own = graph_from_cohort(make_cohort(900))
    patient = own["patient"]
    rows = [row for row, split in enumerate(patient.split) if split == "test"]
    patient.y[rows[:60]] = np.nan
    patient.y[rows[60:]] = 0.0
    for row in rows[:60]:
        patient.split[row] = "unlabelled"
    report = evaluate(Fixed(own, probabilities(own)), own, ["test", "unlabelled"], baselines=False, **QUICK)
    figures = {name: split["models"]["model"]["metrics"] for name, split in report.metrics["splits"].items()}
    assert figures["test"]["auroc"]["reason"] == "no positive patient"
    assert figures["unlabelled"]["auroc"]["reason"] == "no labelled patient"
    assert figures["unlabelled"]["brier"]["reason"] == "no labelled patient"
    assert "This cannot be said: no positive patient" in report.html()


def test_no_tuning_rows_no_threshold():
    own = graph_from_cohort(make_cohort(300))
    own["patient"].split = ["train" if split == "tuning" else split for split in own["patient"].split]
    report = evaluate(Fixed(own, probabilities(own)), own, baselines=False, **QUICK)
    tpr = report.metrics["splits"]["test"]["models"]["model"]["metrics"]["tpr"]
    assert tpr["reason"] == "no threshold: among the tuning patients no labelled patient"


def test_what_cannot_be_judged_is_said(graph):
    from sklearn.linear_model import LogisticRegression

    with pytest.raises(InputError, match=r"predict_proba of LogisticRegression takes \(X\)"):
        evaluate(LogisticRegression(), graph)
    with pytest.raises(InputError, match="baselines: 'lr': expected a model"):
        evaluate(Fixed(graph, probabilities(graph)), graph, baselines={"lr": LogisticRegression()})
    with pytest.raises(InputError, match=r"expected a fitted model with predict_proba\(graph, split=...\), got 'muse'"):
        evaluate("muse", graph)
    with pytest.raises(InputError, match="expected a graph of build_graph or load_graph, got DataFrame"):
        evaluate(Fixed(graph, probabilities(graph)), pd.DataFrame())
