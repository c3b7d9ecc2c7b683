"""Scaled inputs of all patients, gathered in fixed shapes; and which networks have none."""

from __future__ import annotations

import pytest
import torch

from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.loader import PatientLoader, rows_of
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn import grid_store
from gdsfd.nn.grid_store import GridStore, why_no_grid
from gdsfd.training.arm import build_network
from gdsfd.training.config import TrainConfig
from tests.cohort_factory import make_cohort


def fitted(backbone: str = "muse", presence: float = 0.7, **settings: object):
    graph = graph_from_cohort(make_cohort(50, presence=presence))
    store, train = PatientStore(graph), rows_of(graph, "train")
    network = build_network(graph.schema, backbone, None, TrainConfig(channels=8, **settings).resolved(40), 0)
    network.fit_inputs(lambda: PatientLoader(store, train, 20), 1.0)
    return network, store


def test_a_batch_has_what_the_encoders_would_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grid_store, "_CHUNK", 7)  # several chunks
    network, store = fitted()
    made = GridStore.of(network, store)
    assert len(made) == 50
    rows = torch.tensor([7, 3, 12, 7])  # patient 3 has nothing; one twice
    batch, expected = made.batch(rows), store.batch(rows)
    assert torch.equal(batch.rows, rows)
    assert torch.equal(batch.layout.presence, expected.layout.presence)
    torch.testing.assert_close(batch.y, expected.y, equal_nan=True)
    start = 0
    for number, (name, encoder) in enumerate(zip(store.schema.names, network.members[0].grid_encoders)):
        inputs = batch.inputs[:, start : start + encoder.token.in_channels]
        there = batch.layout.there[number] > 0
        torch.testing.assert_close(inputs[there], encoder.scaled(expected.observations[name]))
        assert (inputs[~there] == 0).all()
        start += encoder.token.in_channels
    assert start == batch.inputs.size(1)


def test_features_worked_out_before_give_the_same() -> None:
    network, store = fitted()
    before = GridStore.of(network, store).inputs
    network.prepare(store)
    torch.testing.assert_close(GridStore.of(network, store).inputs, before)


def test_networks_without_a_grid_say_why(monkeypatch: pytest.MonkeyPatch) -> None:
    assert why_no_grid(*fitted()) == ""
    assert why_no_grid(*fitted("grape")) == "GrapeBackbone reads a list of edges"
    assert why_no_grid(*fitted(sequence="gru")) == "the encoder of modality 'labs' reads its observations as a list"
    assert why_no_grid(*fitted(presence=0.1)) == "patients have few of the modalities"
    assert why_no_grid(*fitted(), 8192).startswith(
        "batches of 8,192 patients keep a processor busy, and lists of edges"
    )
    assert why_no_grid(*fitted(), 8191) == ""
    assert why_no_grid(*fitted(), 8192, "cuda") == ""
    monkeypatch.setattr(grid_store, "FULL", 0.3)
    assert why_no_grid(*fitted(), 8192) == ""
    monkeypatch.setattr(grid_store, "MOST_BYTES", 2**10)
    assert "GiB" in why_no_grid(*fitted())
    assert why_no_grid(*fitted(), 1, "cuda") == ""


def test_inputs_that_stay_on_the_cpu_give_the_same_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    made = GridStore.of(*fitted())
    rows = torch.tensor([7, 3, 12, 7])
    whole = made.batch(rows)
    assert not made.apart
    monkeypatch.setattr(GridStore, "apart", True)
    for batch in (made.batch(rows), made.batch(rows, rows)):
        assert torch.equal(batch.inputs, whole.inputs)
        assert torch.equal(batch.layout.there, whole.layout.there)
        assert torch.equal(batch.rows, rows)
        torch.testing.assert_close(batch.y, whole.y, equal_nan=True)


def test_what_leaves_no_room_on_a_gpu_stays_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (1000, 4000))
    assert grid_store.has_room(torch.device("cuda"), 500)
    assert not grid_store.has_room(torch.device("cuda"), 501)
    assert grid_store.has_room(torch.device("cpu"), 10**12)
