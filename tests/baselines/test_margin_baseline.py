"""Which offset goes with which patient and class, on graphs of all kinds of outcome; fitting, storing, refusing."""

from __future__ import annotations

import numpy as np
import pytest

from gdsfd.baselines.boosting_margin import BoostingMargin
from gdsfd.baselines.files import read_baselines, write_baselines
from gdsfd.baselines.logistic_margin import LogisticMargin
from gdsfd.baselines.margin_baseline import MarginBaseline
from gdsfd.baselines.suspect_facts import SuspectFacts
from gdsfd.errors import InputError
from gdsfd.graph.flatten import flatten
from gdsfd.graph.from_cohort import graph_from_cohort
from tests.cohort_factory import make_cohort

KINDS = ("binary", "multilabel", "multiclass")


@pytest.fixture(scope="module", params=KINDS)
def graph(request):
    return graph_from_cohort(make_cohort(300, outcomes=request.param))


def facts(graph, seed: int = 0) -> SuspectFacts:
    """Margins of which each says which patient and output it is of."""
    n, outputs = len(graph["patient"].id), graph.schema.num_outputs
    margin = np.random.default_rng(seed).normal(size=(n, outputs))
    return SuspectFacts(("environment",), np.zeros((n, 1), dtype=np.int64), (1,), margin)


def test_every_patient_gets_the_offset_of_its_own_row(graph, monkeypatch):
    told, seen_by = facts(graph), []

    def keep(self, train, tuning, seen, classes):
        seen_by.append((train, tuning, seen))

    monkeypatch.setattr(LogisticMargin, "_fit_beside", keep)
    LogisticMargin().fit(graph, told)
    table, _ = flatten(graph, np.arange(len(graph["patient"].id)))
    y, split = graph["patient"].y.numpy(), np.asarray(graph["patient"].split)
    several = graph.schema.multiclass
    assert len(seen_by) == (1 if several else y.shape[1])
    for number, (train, tuning, seen) in enumerate(seen_by):
        own = y if several else y[:, number]
        known = own >= 0 if several else ~np.isnan(own)
        for sample, part in ((train, "train"), (tuning, "tuning")):
            rows = np.flatnonzero((split == part) & known)
            np.testing.assert_array_equal(sample.x, table[rows])
            np.testing.assert_array_equal(seen[sample.y], own[rows])
            expected = told.margin[rows] if several else told.margin[rows][:, [number]]
            np.testing.assert_array_equal(sample.offset, expected)


def test_of_two_seen_classes_among_three_the_offset_is_the_difference(monkeypatch):
    graph = graph_from_cohort(make_cohort(400, outcomes="multiclass"))
    train = np.asarray(graph["patient"].split) == "train"
    graph["patient"].y[train & (graph["patient"].y.numpy() == 1)] = -1
    told, kept = facts(graph), []
    monkeypatch.setattr(LogisticMargin, "_fit_beside", lambda self, *given: kept.append(given))
    LogisticMargin().fit(graph, told)
    sample, tuning, seen, classes = kept[0]
    rows = np.flatnonzero(train & (graph["patient"].y.numpy() >= 0))
    np.testing.assert_array_equal(sample.offset[:, 0], told.margin[rows, 2] - told.margin[rows, 0])
    assert (seen.tolist(), classes, set(tuning.y.tolist())) == ([0, 2], 3, {0, 1})


@pytest.mark.parametrize("kind", [LogisticMargin, BoostingMargin])
def test_fitted_stored_and_read_it_is_the_same_and_needs_no_suspects(graph, kind: type[MarginBaseline], tmp_path):
    model = kind().fit(graph, facts(graph))
    described = write_baselines(tmp_path, {model.key: model})
    read = read_baselines(tmp_path, described, graph.schema)[model.key]
    together = model.predict_proba(graph)
    assert np.isfinite(together).all()
    np.testing.assert_array_equal(read.predict_proba(graph), together)
    np.testing.assert_allclose(model.predict_proba(graph, ids=[graph["patient"].id[7]])[0], together[7])
    other = kind().fit(graph, facts(graph, seed=1))
    assert np.abs(other.predict_proba(graph) - together).max() > 0.01
    again = model.fit(graph, facts(graph)).predict_proba(graph)
    np.testing.assert_array_equal(again, together)
    assert len(model.to_dict()["chosen"]) == len(graph.schema.outcomes)


def test_a_margin_of_zero_is_the_plain_model():
    graph = graph_from_cohort(make_cohort(300))
    told = SuspectFacts((), np.zeros((300, 0), dtype=np.int64), (), np.zeros((300, 1)))
    from gdsfd.baselines.logistic import Logistic

    plain, beside = Logistic().fit(graph), LogisticMargin().fit(graph, told)
    assert plain.chosen == beside.chosen
    np.testing.assert_allclose(beside.predict_proba(graph), plain.predict_proba(graph), atol=2e-3)


def test_what_is_refused():
    graph = graph_from_cohort(make_cohort(60))
    with pytest.raises(InputError, match=r"fit\(graph, suspect_facts\(graph"):
        LogisticMargin().fit(graph)
    wrong = SuspectFacts((), np.zeros((3, 0), dtype=np.int64), (), np.zeros((3, 1)))
    with pytest.raises(InputError, match="expected margins of 60 patients and 1 outputs"):
        LogisticMargin().fit(graph, wrong)
