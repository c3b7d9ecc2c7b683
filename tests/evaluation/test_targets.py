"""Outcomes of all kinds as yes/no targets; answers of the wrong shape."""

from __future__ import annotations

import numpy as np
import pytest

from gdsfd.errors import InputError
from gdsfd.evaluation.targets import rows_of_split, target_names, targets_of, task_of
from gdsfd.graph.availability import presence_of
from gdsfd.graph.from_cohort import graph_from_cohort
from tests.cohort_factory import make_cohort


@pytest.fixture(scope="module", params=["binary", "multiclass", "multilabel"])
def graph(request):
    return graph_from_cohort(make_cohort(80, outcomes=request.param, unlabelled=0.2))


def uniform(graph, rows):
    names = target_names(graph.schema)
    columns = max(2, len(names)) if task_of(graph.schema) != "multi-label" else len(names)
    return np.full((len(rows), columns), 1 / columns)


def test_unlabelled_patients_are_left_out_and_labels_are_the_graphs(graph):
    rows = rows_of_split(graph, "test")
    y = graph["patient"].y.numpy()
    for number, target in enumerate(targets_of(graph, rows, uniform(graph, rows))):
        for place, row in enumerate(rows):
            value = y[row] if graph.schema.multiclass else y[row, number]
            if graph.schema.multiclass:
                known, expected = value >= 0, value == number
            else:
                known, expected = not np.isnan(value), value == 1
            assert (place in target.rows) == known
            if known:
                assert target.y[target.rows == place] == expected


def test_a_binary_outcomes_second_column_is_the_positive_one():
    graph = graph_from_cohort(make_cohort(40))
    rows = rows_of_split(graph, "test")
    p = np.linspace(0, 1, len(rows))
    (target,) = targets_of(graph, rows, np.column_stack([1 - p, p]))
    assert target.p.tolist() == p[target.rows].tolist()


def test_a_wrong_shape_says_what_was_expected(graph):
    rows = rows_of_split(graph, "test")
    with pytest.raises(
        InputError,
        match=rf"muse, split 'test': expected probabilities of shape \({len(rows)}, \d\).*got \({len(rows)},\)",
    ):
        targets_of(graph, rows, np.full(len(rows), 0.5), "muse, split 'test'")


def test_classes_that_do_not_add_up_to_one_name_the_patients():
    graph = graph_from_cohort(make_cohort(40, outcomes="multiclass"))
    rows = rows_of_split(graph, "test")
    answer = uniform(graph, rows)
    answer[1] = 0.9
    with pytest.raises(
        InputError, match=rf"add up to 1; they do not for 1 patients \(ids '{graph['patient'].id[rows[1]]}'; sums 2.7\)"
    ):
        targets_of(graph, rows, answer)


def test_an_unknown_split_names_the_near_one():
    graph = graph_from_cohort(make_cohort(40))
    with pytest.raises(InputError, match=r"no patient is in the split 'tets'\. Did you mean 'test'"):
        rows_of_split(graph, "tets")


def test_presence_equals_the_observations():
    cohort = make_cohort(60)
    presence = presence_of(graph_from_cohort(cohort)).numpy()
    for number, name in enumerate(cohort.schema.names):
        assert np.flatnonzero(presence[:, number]).tolist() == cohort.observations[name].patient.tolist()


def test_among_keeps_rows_of_the_split():
    graph = graph_from_cohort(make_cohort(80, unlabelled=0.3))
    rows = rows_of_split(graph, "train")
    (target,) = targets_of(graph, rows, uniform(graph, rows))
    mask = np.arange(len(rows)) % 2 == 0
    part = target.among(mask)
    assert part.rows.tolist() == [row for row in target.rows if row % 2 == 0]
    assert len(part.y) == len(part.p) == len(part.rows)
