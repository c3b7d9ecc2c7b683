from __future__ import annotations

import copy

import numpy as np
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from gdsfd.comparison.scores import (
    check_judged,
    evaluation_splits,
    judged_splits,
    scores_by_split,
    scores_of_probability,
)
from gdsfd.errors import InputError
from gdsfd.evaluation.targets import rows_of_split


def test_figures_are_those_of_labelled_patients(graph):
    score = np.random.default_rng(0).uniform(0.05, 0.95, len(graph["patient"].id))
    found = scores_of_probability(graph, score)
    assert list(found) == ["test", "test_flipped", "test_shifted_missingness", "test_unbiased"]
    rows = rows_of_split(graph, "test")
    y = graph["patient"].y[rows, 0].numpy()
    known = ~np.isnan(y)
    assert found["test"]["n"] == known.sum()
    assert found["test"]["positives"] == y[known].sum()
    assert found["test"]["auroc"] == pytest.approx(roc_auc_score(y[known], score[rows][known]))
    assert found["test"]["loss"] == pytest.approx(log_loss(y[known], score[rows][known]))


def test_one_class_has_no_ranking_but_a_loss(graph):
    single = copy.copy(graph)
    single["patient"].y = graph["patient"].y.clone().fill_(1.0)
    rows = rows_of_split(single, "test")
    found = scores_by_split(single, {"test": np.tile([0.2, 0.8], (len(rows), 1))}, "x")["test"]
    assert np.isnan(found["auroc"])
    assert found["loss"] == pytest.approx(-np.log(0.8))


def test_tuning_is_looked_at_only_beside_a_single_split(graph):
    assert "tuning" not in judged_splits(graph)
    single = copy.copy(graph)
    single["patient"].split = [name if not name.startswith("test_") else "" for name in graph["patient"].split]
    assert evaluation_splits(single) == ["test"]
    assert judged_splits(single) == ["test", "tuning"]


def test_a_graph_with_nothing_to_judge_on_is_refused(graph):
    check_judged(graph)
    without = copy.copy(graph)
    without["patient"].split = ["train" if name != "tuning" else name for name in graph["patient"].split]
    with pytest.raises(InputError, match="the graph has the splits 'train', 'tuning' and none to judge on"):
        check_judged(without)
    single = copy.copy(graph)
    test = np.array([name not in ("train", "tuning") for name in graph["patient"].split])
    single["patient"].y = graph["patient"].y.clone()
    single["patient"].y[test] = 0.0
    with pytest.raises(InputError, match="no outcome has patients with and without it in 'test', 'test_flipped'"):
        check_judged(single)
    single["patient"].y[np.flatnonzero(np.array(graph["patient"].split) == "test_unbiased")[0]] = 1.0
    check_judged(single)
