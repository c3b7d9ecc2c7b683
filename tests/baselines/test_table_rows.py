"""Baselines of a large cohort hold no more of its table than fits, and say whom they were fitted on."""

from __future__ import annotations

import numpy as np
import pytest

from gdsfd.baselines import table_rows
from gdsfd.baselines.boosting import Boosting
from gdsfd.baselines.logistic import Logistic
from gdsfd.baselines.table_rows import fitted_rows, most_rows, pieces
from gdsfd.graph.flatten import flat_width, flatten
from gdsfd.graph.from_cohort import graph_from_cohort
from tests.cohort_factory import make_cohort


@pytest.fixture(scope="module")
def graph():
    return graph_from_cohort(make_cohort(150))


def test_of_more_patients_than_fit_some_are_drawn(graph, monkeypatch) -> None:
    rows = np.arange(3, 103)
    assert fitted_rows(rows, graph.schema) is rows
    assert [each.tolist() for each in pieces(rows, graph.schema)] == [rows.tolist()]
    monkeypatch.setattr(table_rows, "MOST_BYTES", 4 * flat_width(graph.schema) * 40)
    assert most_rows(graph.schema) == 40
    drawn = fitted_rows(rows, graph.schema)
    assert len(drawn) == 40
    assert (np.diff(drawn) > 0).all()
    assert set(drawn) < set(rows)
    assert np.array_equal(drawn, fitted_rows(rows, graph.schema))
    assert [len(each) for each in pieces(rows, graph.schema)] == [40, 40, 20]
    assert np.array_equal(np.concatenate(list(pieces(rows, graph.schema))), rows)
    assert [len(each) for each in pieces(rows[:0], graph.schema)] == [0]


@pytest.mark.parametrize("kind", [Boosting, Logistic])
def test_a_baseline_of_drawn_patients_is_that_of_a_graph_of_these(kind, graph, monkeypatch) -> None:
    monkeypatch.setattr(table_rows, "MOST_BYTES", 4 * flat_width(graph.schema) * 60)
    split = np.asarray(graph["patient"].split)
    train = np.flatnonzero(split == "train")
    assert len(train) > 60
    found = kind(0).fit(graph).predict_proba(graph)
    drawn = fitted_rows(train, graph.schema)
    tuning = np.flatnonzero(split == "tuning")
    y = graph["patient"].y.numpy()[:, 0]
    labelled = [rows[np.isfinite(y[rows])] for rows in (drawn, tuning)]
    x, x_tuning = (flatten(graph, rows)[0] for rows in labelled)
    model = kind(0)._fit_one(x, y[labelled[0]].astype(int), x_tuning, y[labelled[1]].astype(int), 2)
    np.testing.assert_allclose(found, model.predict_proba(flatten(graph)[0]), rtol=1e-6)
