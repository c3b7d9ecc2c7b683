"""One prediction loop; the last graph stays indexed until it changes."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest
import torch

from gdsfd.errors import InputError
from gdsfd.graph.from_cohort import edge_type, graph_from_cohort
from gdsfd.graph.loader import rows_of
from gdsfd.graph.patient_store import PatientStore
from gdsfd.training import Debiaser, inference
from gdsfd.training.arm import build_network
from gdsfd.training.config import TrainConfig
from gdsfd.training.inference import GraphCache, batches_of, predict
from tests.cohort_factory import make_cohort


@pytest.fixture
def graph():
    return graph_from_cohort(make_cohort(60))


@pytest.fixture(scope="module")
def model():
    return Debiaser("muse", max_epochs=2, channels=8, members=1).fit(
        graph_from_cohort(make_cohort(60)), baselines=False
    )


@pytest.fixture
def stores(monkeypatch):
    """Every graph that is indexed."""
    made = []

    class Counted(PatientStore):
        def __init__(self, graph):
            made.append(graph)
            super().__init__(graph)

    monkeypatch.setattr(inference, "PatientStore", Counted)
    return made


def network_of(graph):
    return build_network(
        graph.schema, "concat", None, TrainConfig(channels=8, members=2, boosted_members=0).resolved(60), 0
    )


def test_predictions_are_the_networks_own_whatever_the_batches(graph, monkeypatch):
    network, store, rows = network_of(graph).eval(), PatientStore(graph), rows_of(graph)
    with torch.no_grad():
        outputs = network(store.batch(rows))
        wanted, pooled = network.probability(outputs).numpy(), network.codes(outputs)["pooled"].numpy()
    network.train()
    found = predict(network, store, rows, embeddings=True)
    assert not network.training
    np.testing.assert_array_equal(found.probability, wanted)
    np.testing.assert_array_equal(found.embeddings["pooled"], pooled)
    assert predict(network, store, rows).embeddings == {}
    assert [len(batch) for batch in batches_of(store, rows, batch_size=25)] == [25, 25, 10]


def test_nobody_gives_outputs_of_the_right_width(graph):
    found = predict(network_of(graph), PatientStore(graph), torch.arange(0), embeddings=True)
    assert found.probability.shape == (0, 2)
    assert found.embeddings["pooled"].shape == (0, 16)


def test_the_network_and_the_batches_go_to_the_device(graph, monkeypatch):
    """The device ``meta`` stands for one that this machine may lack; it computes shapes only."""
    batches = list(batches_of(PatientStore(graph), rows_of(graph), "meta", 50))
    assert {batch.rows.device.type for batch in batches} == {"meta"}
    moved = []
    network = network_of(graph)
    monkeypatch.setattr(network, "to", lambda device: moved.append(str(device)))
    monkeypatch.setattr(inference, "batches_of", lambda store, rows, device: [moved.append(str(device))][:0])
    with pytest.raises((ValueError, RuntimeError), match="non-empty"):  # nothing to join; torch 2.8 says it so
        predict(network, PatientStore(graph), rows_of(graph), "cuda:0")
    assert moved == ["cuda:0", "cuda:0"]


def test_an_unchanged_graph_is_indexed_once(model, graph, stores):
    every = model.predict_proba(graph)
    ids = graph["patient"].id
    for row in (3, 0, 59, 3):
        np.testing.assert_allclose(model.predict_proba(graph, ids=[ids[row]])[0], every[row], atol=1e-6)
    model.embed(graph, split="test")
    assert len(stores) == 1


def values(graph):
    graph[edge_type("chart")].numeric[5, 0] += 3


def replaced_values(graph):
    graph[edge_type("chart")].numeric = graph[edge_type("chart")].numeric.clone() + 1


def owners(graph):
    owner = graph[edge_type("chart")].edge_index[0]
    owner[[0, 1]] = owner[[1, 0]].clone()


def more_edges(graph):
    graph["patient"].note = torch.zeros(60)


def fewer(graph):
    del graph["patient"].environment


@pytest.mark.parametrize("change", [values, replaced_values, owners, more_edges, fewer])
def test_a_changed_graph_is_noticed(model, graph, stores, change):
    model.predict_proba(graph)
    change(graph)
    after = model.predict_proba(graph)
    assert len(stores) == 2
    np.testing.assert_array_equal(after, Debiaser.predict_proba(copy.deepcopy(model), graph))


def test_a_changed_graph_is_checked_again(model, graph):
    model.predict_proba(graph)
    graph[edge_type("chart")].edge_index[0, 0] = 60
    with pytest.raises(InputError, match="has an edge of patient 60, of 60"):
        model.predict_proba(graph)


def infinite_numbers(graph):
    graph[edge_type("chart")].numeric[5, 0] = torch.inf


def infinite_vector(graph):
    graph[edge_type("note")].vector[0, 0] = -torch.inf


def blank_event(graph):
    graph[edge_type("labs")].value[0] = torch.nan


def doubles(graph):
    graph[edge_type("chart")].numeric = graph[edge_type("chart")].numeric.double()


def an_id_twice(graph):
    graph["patient"].id = [graph["patient"].id[1], *graph["patient"].id[1:]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (infinite_numbers, "'chart': numeric holds values that are not finite"),
        (infinite_vector, "'note': vector holds values that are not finite"),
        (blank_event, "'labs': value holds values that are not finite"),
        (doubles, r"'chart': expected numeric as floats \(float32\)"),
        (an_id_twice, "ids: 1 stand for several patients"),
    ],
)
def test_values_put_in_by_hand_that_cannot_be_are_not_predicted_from(model, graph, change, message):
    model.predict_proba(graph)  # indexed as it was
    change(graph)
    for ask in (model.predict_proba, model.embed, model.explain, model.predict_sets, model.score):
        with pytest.raises(InputError, match=message):
            ask(graph, split="test")


def test_values_changed_through_numpy_are_predicted_from(model, graph):
    before = model.predict_proba(graph)
    graph[edge_type("chart")].numeric.numpy()[:] += 2
    after = model.predict_proba(graph)
    assert not np.array_equal(before, after)
    np.testing.assert_array_equal(after, copy.deepcopy(model).predict_proba(graph))


def test_ids_written_into_the_list_are_noticed(model, graph):
    ids = graph["patient"].id
    every = model.predict_proba(graph)
    np.testing.assert_allclose(model.predict_proba(graph, ids=[ids[4], ids[7]]), every[[4, 7]], atol=1e-6)
    ids[4], ids[7] = ids[7], ids[4]
    np.testing.assert_allclose(model.predict_proba(graph, ids=[ids[4], ids[7]]), every[[4, 7]], atol=1e-6)
    old, ids[4] = ids[4], "somebody new"
    np.testing.assert_allclose(model.predict_proba(graph, ids=["somebody new"]), every[[4]], atol=1e-6)
    with pytest.raises(InputError, match="1 of 1 are not in the graph"):
        model.predict_proba(graph, ids=[old])


@pytest.mark.parametrize("ids", [["no one"], [None], [["p"]], "p0", 3, {"p0": 1}])
def test_ids_that_are_none_are_refused_as_by_rows_of(graph, ids):
    with pytest.raises(InputError) as wanted:
        rows_of(graph, None, ids)
    with pytest.raises(InputError) as found:
        GraphCache().rows(graph, None, ids)
    assert str(found.value) == str(wanted.value)


def test_the_cache_keeps_no_graph_alive_and_is_not_copied(model):
    graph = graph_from_cohort(make_cohort(60))
    model.predict_proba(graph, ids=graph["patient"].id[:1])
    assert pickle.loads(pickle.dumps(model))._graphs._last is None
    held = weakref.ref(graph)
    del graph
    gc.collect()
    assert held() is None
    assert model._graphs._last is None
