"""What a training is refused for before any work."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pytest

from gdsfd.baselines.logistic import Logistic
from gdsfd.cohort.patients.split_kind import LEFT_OUT, TAKES_NO_PART
from gdsfd.errors import InputError
from gdsfd.evaluation.evaluation import evaluate
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.loader import rows_of
from gdsfd.nn.streams.config import StreamConfig
from gdsfd.training.fit_checks import check_fit_arguments, check_trainable, warn_of_outcomes
from tests.cohort_factory import make_cohort


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((3, False, None), "fit: out: expected the path of a folder, got 3"),
        ((None, True, None), "resume=True needs out="),
        ((None, False, "print"), "fit: on_epoch: expected a function"),
    ],
)
def test_arguments_of_fit(arguments, message):
    with pytest.raises(InputError, match=message):
        check_fit_arguments(*arguments)


def test_graphs_that_nothing_can_be_learned_from():
    graph = graph_from_cohort(make_cohort(60))
    check_trainable(graph)
    graph.receipt.new = True
    with pytest.raises(InputError, match="read with the schema of an earlier cohort"):
        check_trainable(graph)
    graph = graph_from_cohort(make_cohort(60, splits=["train"] * 60))
    with pytest.raises(InputError, match="no split 'tuning'"):
        check_trainable(graph)
    with pytest.raises(InputError, match="expected a graph"):
        check_trainable("graph")


@pytest.mark.parametrize("other", ["test_iid", "tuning"])
@pytest.mark.parametrize("ask", [check_trainable, Logistic().fit, lambda graph: evaluate(Fair(), graph)])
def test_a_person_in_two_splits_is_refused_where_models_are_fitted_and_judged(other, ask):
    graph = shared_person("train", other)
    with pytest.raises(InputError, match="1 subjects have patients in several splits, such as 'twice'"):
        ask(graph)


@pytest.mark.parametrize("other", [LEFT_OUT, TAKES_NO_PART, "train"])
def test_a_person_in_one_split_and_in_none_is_trained_on(other):
    graph = shared_person("train", other)
    check_trainable(graph)
    Logistic().fit(graph)


def shared_person(first, second):
    """A graph of 60 patients, two of whom are one person: one in each of these splits."""
    graph = graph_from_cohort(make_cohort(60))
    patient = graph["patient"]
    patient.subject, patient.split = list(patient.id), list(patient.split)
    row = patient.split.index("train")
    other = patient.split.index("train", row + 1)
    patient.subject[row] = patient.subject[other] = "twice"
    patient.split[row], patient.split[other] = first, second
    return graph


def flip_one_label(graph):
    graph["patient"].y[3] = -1.0


def labels_of_a_column(graph):
    graph["patient"].y = graph["patient"].y[:, 0]


def measure_infinity(graph):
    graph["patient", "chart", "modality"].numeric[0, 0] = float("inf")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (flip_one_label, r"labels: 1 are of no class of the outcome, such as -1; expected floats \(float32\), NaN"),
        (labels_of_a_column, r"labels \(y of the patients\): expected a tensor of floats .* \[60, 1\], got"),
        (measure_infinity, "modality 'chart': numeric holds values that are not finite"),
    ],
)
@pytest.mark.parametrize("ask", [check_trainable, Logistic().fit, lambda graph: evaluate(Fair(), graph)])
def test_a_graph_that_was_changed_by_hand_is_refused_where_labels_are_read(change, message, ask):
    graph = graph_from_cohort(make_cohort(60))
    change(graph)
    with pytest.raises(InputError, match=message):
        ask(graph)


class Fair:
    """A model that says one half of everybody."""

    def predict_proba(self, graph, split=None, ids=None):
        return np.full((len(rows_of(graph, split, ids)), 2), 0.5)


def test_splits_written_by_hand_that_part_a_person_are_refused():
    graph = graph_from_cohort(make_cohort(60))
    graph["patient"].subject = [f"s{row // 2}" for row in range(60)]
    graph["patient"].split = [("train", "tuning", "test")[row // 2 % 3] for row in range(60)]
    check_trainable(graph)
    graph["patient"].split[3] = "test"
    with pytest.raises(InputError, match="1 subjects have patients in several splits, such as 's1'"):
        check_trainable(graph)


def test_whoever_has_many_outcomes_is_told_which_are_conditioned_on(caplog):
    graph = graph_from_cohort(make_cohort(60, outcomes="multilabel"))
    modes = [StreamConfig(conditional=True), StreamConfig(objective="mmd", streams=False), StreamConfig(), None]
    with caplog.at_level(logging.WARNING):
        for mode in modes:
            warn_of_outcomes(graph, mode)
        assert not caplog.records
        graph.schema = replace(graph.schema, outcomes=graph.schema.outcomes[:1] * 6)
        for mode in modes[2:]:
            warn_of_outcomes(graph, mode)
        assert not caplog.records
        for mode in modes[:2]:
            warn_of_outcomes(graph, mode)
    assert [record.getMessage()[:50] for record in caplog.records] == [
        "of 6 outcomes the first 4 are conditioned on where"
    ] * 2
