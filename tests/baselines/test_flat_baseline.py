"""Boosting and logistic regression on the flattened table: fitted on train, chosen on tuning, blind to test."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from gdsfd.baselines.boosting import Boosting
from gdsfd.baselines.logistic import Logistic
from gdsfd.errors import InputError, NotFittedError, SchemaError
from gdsfd.evaluation.targets import rows_of_split, targets_of
from gdsfd.graph.from_cohort import graph_from_cohort
from tests.cohort_factory import make_cohort

MODELS = [partial(Boosting, max_trees=40), Logistic]


def graph_of(outcomes="binary", n=500, **options):
    return graph_from_cohort(make_cohort(n, outcomes=outcomes, **options))


@pytest.mark.parametrize("baseline", MODELS)
@pytest.mark.parametrize("outcomes", ["binary", "multiclass", "multilabel"])
def test_beats_chance_on_test_patients(baseline, outcomes):
    graph = graph_of(outcomes, 800)
    answer = baseline().fit(graph).predict_proba(graph, split="test")
    for target in targets_of(graph, rows_of_split(graph, "test"), answer):
        assert roc_auc_score(target.y, target.p) > 0.6


@pytest.mark.parametrize("baseline", MODELS)
@pytest.mark.parametrize("outcomes", ["binary", "multiclass", "multilabel"])
def test_test_labels_play_no_part(baseline, outcomes):
    graph = graph_of(outcomes)
    before = baseline().fit(graph).predict_proba(graph, split="test")
    rows = rows_of_split(graph, "test")
    y = graph["patient"].y
    others = (2 - y[rows]) if outcomes == "multiclass" else (1 - y[rows])
    y[rows] = torch.where(y[rows] < 0, y[rows], others)
    np.testing.assert_array_equal(before, baseline().fit(graph).predict_proba(graph, split="test"))


@pytest.mark.parametrize("baseline", MODELS)
def test_ids_give_the_same_numbers_as_the_split(baseline):
    graph = graph_of()
    model = baseline().fit(graph)
    answer = model.predict_proba(graph, split="test")
    ids = [graph["patient"].id[row] for row in rows_of_split(graph, "test")]
    np.testing.assert_allclose(model.predict_proba(graph, ids=[ids[4]])[0], answer[4])
    np.testing.assert_allclose(model.predict_proba(graph, ids=ids[::-1]), answer[::-1])


@pytest.mark.parametrize("baseline", MODELS)
def test_one_class_in_train_gives_the_training_share(baseline):
    graph = graph_of()
    graph["patient"].y[rows_of_split(graph, "train")] = 0.0
    assert (baseline().fit(graph).predict_proba(graph, split="test") == [1.0, 0.0]).all()


@pytest.mark.parametrize("baseline", MODELS)
def test_a_class_unseen_in_train_gets_zero_and_keeps_its_column(baseline):
    graph = graph_of("multiclass")
    train = rows_of_split(graph, "train")
    y = graph["patient"].y
    y[train] = torch.where(y[train] == 1, -1, y[train])
    answer = baseline().fit(graph).predict_proba(graph, split="test")
    assert (answer[:, 1] == 0).all()
    np.testing.assert_allclose(answer.sum(1), 1)


@pytest.mark.parametrize("baseline", MODELS)
def test_no_labelled_training_patient(baseline):
    graph = graph_of()
    graph["patient"].y[rows_of_split(graph, "train")] = np.nan
    with pytest.raises(InputError, match=r"outcome 'mortality': no training patient has a label.*baselines=False"):
        baseline().fit(graph)


@pytest.mark.parametrize("baseline", MODELS)
def test_works_without_tuning_rows(baseline):
    graph = graph_of()
    graph["patient"].split = ["train" if split == "tuning" else split for split in graph["patient"].split]
    assert np.isfinite(baseline().fit(graph).predict_proba(graph, split="test")).all()


@pytest.mark.parametrize("baseline", MODELS)
def test_wrong_use_is_said(baseline):
    graph = graph_of()
    with pytest.raises(NotFittedError, match=r"was not fitted; call fit\(graph\) first"):
        baseline().predict_proba(graph, split="test")
    with pytest.raises(SchemaError, match="build_graph"):
        baseline().fit(graph).predict_proba(graph_of(n=300, seed=5), split="test")


@pytest.mark.parametrize("baseline", MODELS)
@pytest.mark.parametrize("outcomes", ["binary", "multiclass", "multilabel"])
@pytest.mark.parametrize(
    "table",
    [
        pytest.param(lambda n: np.ones((n, 3)), id="constant columns"),
        pytest.param(lambda n: np.full((n, 2), np.nan), id="columns never measured"),
        pytest.param(lambda n: np.column_stack([np.full(n, np.nan), np.zeros(n)]), id="one constant, one not measured"),
        pytest.param(lambda n: np.empty((n, 0)), id="no column"),
    ],
)
def test_nothing_to_learn_from_gives_the_training_shares(baseline, outcomes, table, monkeypatch):
    monkeypatch.setattr(
        "gdsfd.baselines.flat_baseline.flatten", lambda graph, rows: (table(len(rows)).astype(np.float32), [])
    )
    graph = graph_of(outcomes)
    model = baseline().fit(graph)
    answer = model.predict_proba(graph, split="test")
    y = graph["patient"].y.numpy()[rows_of_split(graph, "train")]
    if outcomes == "multiclass":
        expected = np.bincount(y[y >= 0], minlength=3) / (y >= 0).sum()
    else:
        expected = np.nanmean(y, axis=0)
        answer = answer[:, 1:] if outcomes == "binary" else answer
    np.testing.assert_allclose(answer, np.tile(expected, (len(answer), 1)), rtol=1e-6)
    # What was chosen still has one number per outcome.
    assert (model.trees if isinstance(model, Boosting) else model.chosen) == [0] * len(graph.schema.outcomes)


@pytest.mark.parametrize("baseline", MODELS)
def test_an_outcome_of_one_class_beside_another_keeps_what_was_chosen_in_order(baseline):
    graph = graph_of("multilabel")
    graph["patient"].y[rows_of_split(graph, "train"), 0] = 1.0
    model = baseline().fit(graph)
    first, second = model.trees if isinstance(model, Boosting) else model.chosen
    assert first == 0
    assert second > 0
    assert (model.predict_proba(graph, split="test")[:, 0] == 1).all()


@pytest.mark.parametrize("baseline", MODELS)
@pytest.mark.parametrize("outcomes", ["binary", "multiclass"])
def test_tuning_rows_of_one_class_choose_nothing_and_break_nothing(baseline, outcomes):
    graph = graph_of(outcomes)
    graph["patient"].y[rows_of_split(graph, "tuning")] = 1
    assert np.isfinite(baseline().fit(graph).predict_proba(graph, split="test")).all()
