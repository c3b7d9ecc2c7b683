"""Presence alone: a logistic regression on flags, of training patients."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from gdsfd.evaluation.targets import labels_of, rows_of_split
from gdsfd.fusion_study.presence_model import PresenceModel
from gdsfd.graph.availability import presence_of
from gdsfd.graph.from_cohort import graph_from_cohort
from tests.cohort_factory import make_cohort


@pytest.mark.parametrize(("outcomes", "columns"), [("binary", 2), ("multiclass", 3), ("multilabel", 2)])
def test_it_sees_flags_and_nothing_else(outcomes, columns):
    graph = graph_from_cohort(make_cohort(200, outcomes=outcomes))
    found = PresenceModel().fit(graph).predict_proba(graph, "test")
    train, test = rows_of_split(graph, "train"), rows_of_split(graph, "test")
    flags, labels = presence_of(graph).numpy().astype(float), labels_of(graph, train)
    known = np.isfinite(labels[:, 0])
    model = LogisticRegression(max_iter=1000).fit(flags[train][known], labels[known, 0])
    expected = model.predict_proba(flags[test])[:, 1]
    assert found.shape == (len(test), columns)
    if outcomes == "binary":
        np.testing.assert_allclose(found[:, 1], expected)
    elif outcomes == "multilabel":
        np.testing.assert_allclose(found[:, 0], expected)
    if outcomes != "multilabel":
        np.testing.assert_allclose(found.sum(1), 1)


def test_one_class_gets_its_share():
    graph = graph_from_cohort(make_cohort(100))
    graph["patient"].y[:] = 1.0
    assert set(PresenceModel().fit(graph).predict_proba(graph, "test")[:, 1]) == {1.0}
