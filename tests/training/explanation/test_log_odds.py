"""What is explained is what is predicted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from gdsfd.baselines.labels import target_names
from gdsfd.errors import InputError
from gdsfd.graph.build import build_graph
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.patient_store import PatientStore
from gdsfd.training import Debiaser
from gdsfd.training.explanation.log_odds import LogOdds, flat_rows
from tests.cohort.survival_exports import survival_frames, survival_spec
from tests.cohort_factory import make_cohort

QUICK: dict[str, Any] = {"members": 2, "channels": 8, "max_epochs": 1, "guard": "debiased", "guard_folds": 0}


def test_rows_of_the_flat_table_are_those_of_the_store() -> None:
    graph = graph_from_cohort(make_cohort(60))
    store, rows = PatientStore(graph), torch.tensor([7, 13, 3, 7, 59])
    assert_array_equal(flat_rows(store.batch(rows), graph.schema), store.flat(rows))


@pytest.mark.parametrize("outcomes", ["binary", "multiclass", "multilabel"])
@pytest.mark.parametrize("debias", ["none", "full", "prototypes"])
def test_they_are_those_of_the_probability(outcomes: str, debias: str) -> None:
    graph = graph_from_cohort(make_cohort(160, outcomes=outcomes))
    model = Debiaser("concat", debias, **QUICK).fit(graph, baselines=False)
    network, store, rows = model.network, PatientStore(graph), torch.arange(0, 160, 9)
    assert network is not None
    probability = model.predict_proba(graph)[rows.numpy()]
    names = target_names(graph.schema)
    columns = [1] if len(names) == 1 else range(len(names))
    for name, column in zip(names, columns, strict=True):
        found = LogOdds(network, graph.schema, name)(store.batch(rows))
        assert_allclose(found, np.log(probability[:, column] / (1 - probability[:, column])), atol=1e-6)


def test_the_biased_stream_is_the_mean_of_what_biased_heads_read_of_it() -> None:
    graph = graph_from_cohort(make_cohort(160))
    model = Debiaser("concat", "streams", **QUICK).fit(graph, baselines=False)
    network, batch = model.networks_["debiased"], PatientStore(graph).batch(torch.arange(30))
    with torch.no_grad():
        heads = [member.biased_out(member(batch).biased) for member in network.members]
        p = torch.stack([each.double().sigmoid() for each in heads]).mean(0)
    found = LogOdds(network, graph.schema, of="biased")(batch)
    assert_allclose(found, torch.logit(p).squeeze(1).numpy(), atol=1e-6)
    assert abs(found - LogOdds(network, graph.schema)(batch)).max() > 1e-3


def test_what_cannot_be_explained_is_said() -> None:
    graph = graph_from_cohort(make_cohort(160, outcomes="multilabel"))
    model = Debiaser("concat", **QUICK).fit(graph, baselines=False)
    names = target_names(graph.schema)
    with pytest.raises(InputError, match="say which is to be explained by target=.*" + names[0]):
        model.explain(graph, split="test")
    with pytest.raises(InputError, match=f"expected a target of .*, got '{names[0]}x'. Did you mean '{names[0]}'"):
        model.explain(graph, split="test", target=names[0] + "x")
    with pytest.raises(InputError, match="expected of='prediction' or of='biased', got 'causal'"):
        model.explain(graph, split="test", target=names[0], of="causal")
    with pytest.raises(InputError, match="needs a network with two streams"):
        model.explain(graph, split="test", target=names[0], of="biased")


def test_of_a_time_to_an_event_they_are_of_the_event_by_the_horizon() -> None:
    graph = build_graph(survival_spec(survival_frames(200), intervals=3), progress=False)
    model = Debiaser("concat", **QUICK).fit(graph, baselines=False)
    horizon = graph.schema.survival.horizon
    found = model.explain(graph, split="test")
    assert found.target == f"death by {graph.schema.survival.spelled(horizon)}"
    risk = 1 - model.predict_survival(graph, split="test", times=[horizon])[:, 0]
    assert_allclose(found.patients["probability"], risk, atol=1e-6)
    assert_allclose(found.patients["log_odds"], np.log(risk / (1 - risk)), atol=1e-6)
    assert model.explain(graph, split="test", target="death").target == found.target
    interval = graph.schema.survival.interval_names[1]
    alone = model.explain(graph, split="test", target=interval)
    assert_allclose(alone.patients["probability"], model.predict_proba(graph, split="test")[:, 1], atol=1e-6)
    with pytest.raises(
        InputError, match=r"expected a target of death, death: 0 to .* got 'deaths'. Did you mean 'death'"
    ):
        model.explain(graph, split="test", target="deaths")
