"""What a code is asked for."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from gdsfd.errors import InputError
from gdsfd.evaluation.diagnostics.probe_targets import outcome_classes, probe_targets
from gdsfd.graph.from_cohort import graph_from_cohort
from tests.cohort_factory import make_cohort


@pytest.fixture(scope="module")
def graph():
    return graph_from_cohort(make_cohort(500, seed=1))


def test_what_the_graph_does_not_have_is_left_out():
    graph = graph_from_cohort(make_cohort(800, environments=None))
    targets = probe_targets(graph, np.arange(800), ("environment", "pattern"))
    assert "environment" not in [one.name for one in targets]
    assert [one.kind for one in targets if one.name == "pattern"] == ["suspect"]


def test_rare_levels_are_left_out_and_unlabelled_patients_unknown(graph):
    for one in probe_targets(graph, np.arange(200)):
        counts = np.bincount(one.label[one.label >= 0])
        assert counts.min() >= 10
        assert len(counts) == one.levels >= 2
    y = graph["patient"].y[:, 0].numpy()
    classes = outcome_classes(graph, np.arange(500))
    assert (classes[np.isnan(y)] == -1).all()
    assert (classes[~np.isnan(y)] == y[~np.isnan(y)]).all()


def test_truth_is_cut_at_its_median_and_must_fit(graph):
    ids = list(graph["patient"].id)
    rng = np.random.default_rng(0)
    patients = pd.DataFrame(
        {"u": rng.integers(0, 2, len(ids)), "causal_labs": rng.normal(size=len(ids)), "biased_labs": 0.0}, index=ids
    )
    truth = SimpleNamespace(patients=patients, config=SimpleNamespace(names=("labs",), graded=False))
    found = {one.name: one for one in probe_targets(graph, np.arange(len(ids)), truth=truth) if one.kind == "truth"}
    assert set(found) == {"true U", "true causal content"}  # biased content without any variation is no question
    assert (found["true U"].label == patients["u"]).all()
    content = patients["causal_labs"].to_numpy()
    assert (found["true causal content"].label == (content > np.median(content))).all()
    truth.patients = patients.iloc[:-3]
    with pytest.raises(InputError, match="knows nothing of 3 of 500 patients"):
        probe_targets(graph, np.arange(len(ids)), truth=truth)


def test_a_graded_u_is_asked_for_by_its_sign(graph):
    ids = list(graph["patient"].id)
    patients = pd.DataFrame({"u": np.random.default_rng(0).normal(size=len(ids))}, index=ids)
    truth = SimpleNamespace(patients=patients, config=SimpleNamespace(names=(), graded=True))
    found = {one.name: one for one in probe_targets(graph, np.arange(len(ids)), truth=truth)}
    assert (found["true U"].label == (patients["u"] > 0)).all()
