"""Labels of every kind of outcome as yes/no targets, and why a ranking figure is not given."""

from __future__ import annotations

import numpy as np
import pytest

from gdsfd.baselines.labels import labels_of, target_names, task_of, why_undefined
from gdsfd.graph.from_cohort import graph_from_cohort
from tests.cohort_factory import make_cohort


@pytest.mark.parametrize(
    ("y", "least", "reason"),
    [
        ([], 1, "no labelled patient"),
        ([1.0], 30, r"only 1 labelled patient \(fewer than 30\)"),
        ([1.0] * 30, 30, "no negative patient"),
        ([0.0] * 30, 30, "no positive patient"),
        ([0.0] * 30 + [1.0] * 4, 30, r"only 4 positive patients \(fewer than 5\)"),
        ([1.0] * 30 + [0.0], 30, r"only 1 negative patient \(fewer than 5\)"),
        ([0.0] * 30 + [1.0] * 5, 30, "^$"),
    ],
)
def test_the_reason_says_what_lacks(y, least, reason):
    import re

    assert re.search(reason, why_undefined(np.array(y), least, 5))


@pytest.fixture(scope="module", params=["binary", "multiclass", "multilabel"])
def graph(request):
    return graph_from_cohort(make_cohort(80, outcomes=request.param, unlabelled=0.2))


def test_names(graph):
    expected = {
        "binary": ("mortality",),
        "multi-label": ("mortality", "discharge"),
        "multi-class": ("stage: CN", "stage: MCI", "stage: AD"),
    }
    assert target_names(graph.schema) == expected[task_of(graph.schema)]


def test_labels_are_those_of_the_graph_patient_by_patient(graph):
    rows = np.array([5, 0, 17, 3])
    found, y = labels_of(graph, rows), graph["patient"].y.tolist()
    assert found.shape == (4, len(target_names(graph.schema)))
    for place, row in enumerate(rows):
        if not graph.schema.multiclass:
            np.testing.assert_array_equal(found[place], y[row])
        elif y[row] < 0:
            assert np.isnan(found[place]).all()
        else:
            assert found[place].tolist() == [float(number == y[row]) for number in range(3)]
    assert labels_of(graph, rows[:0]).shape == (0, found.shape[1])
