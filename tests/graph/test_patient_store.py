"""Batches equal a slow, obvious gather, whatever the rows."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_geometric.data import HeteroData

from gdsfd.graph.flatten import flat_width, flatten
from gdsfd.graph.from_cohort import edge_type, graph_from_cohort
from gdsfd.graph.patient_batch import PatientBatch
from gdsfd.graph.patient_store import PatientStore
from tests.cohort_factory import make_cohort

PACKED = {
    "step": "run_ptr",
    "item": "run_ptr",
    "value": "run_ptr",
    "code": "run_ptr",
    "summary_item": "summary_ptr",
    "summary": "summary_ptr",
}


def by_hand(graph: HeteroData, rows: list[int]) -> dict[str, dict[str, list]]:
    """Per modality: who has it (place in the batch), and for each key one nested list per observation."""
    expected: dict[str, dict[str, list]] = {}
    for name in graph.schema.names:
        store = graph[edge_type(name)]
        owner = store.edge_index[0].tolist()
        found: dict[str, list] = {"patient": []}
        for place, row in enumerate(rows):
            if row not in owner:
                continue
            edge = owner.index(row)
            found["patient"].append(place)
            for key in store:
                if key in ("edge_index", "row", "run_ptr", "summary_ptr"):
                    continue
                if key in PACKED:
                    ptr = store[PACKED[key]].tolist()
                    found.setdefault(key, []).append(store[key][ptr[edge] : ptr[edge + 1]])
                else:
                    found.setdefault(key, []).append(store[key][edge])
        expected[name] = found
    return expected


def assert_equals_by_hand(graph: HeteroData, batch: PatientBatch, rows: list[int]) -> None:
    start = 0
    for number, (name, expected) in enumerate(by_hand(graph, rows).items()):
        tensors = batch.observations[name]
        source = graph[edge_type(name)]
        assert set(tensors) == set(source.keys()) - {"edge_index", "row"}
        owner = expected.pop("patient")
        edges = slice(int(batch.layout.modality_ptr[number]), int(batch.layout.modality_ptr[number + 1]))
        assert edges.start == start
        start = edges.stop
        assert batch.layout.patient[edges].tolist() == owner
        assert (batch.layout.modality[edges] == number).all()
        for key in set(source.keys()) - {"edge_index", "row", "run_ptr", "summary_ptr"}:
            assert tensors[key].dtype == source[key].dtype
            assert tensors[key].shape[1:] == source[key].shape[1:]
            for edge, value in enumerate(expected.get(key, [])):
                if key in PACKED:
                    ptr = tensors[PACKED[key]]
                    got = tensors[key][ptr[edge] : ptr[edge + 1]]
                else:
                    got = tensors[key][edge]
                torch.testing.assert_close(got, value, rtol=0, atol=0, equal_nan=True)
        for pointer in {"run_ptr", "summary_ptr"} & set(tensors):
            assert tensors[pointer].shape == (len(owner) + 1,)
            assert tensors[pointer][0] == 0
        if "run_ptr" in tensors:
            key = "code" if "code" in tensors else "value"
            assert tensors["run_ptr"][-1] == len(tensors[key])
    assert start == batch.layout.num_edges


@pytest.fixture(scope="module")
def graph() -> HeteroData:
    return graph_from_cohort(make_cohort(40, nobody_has=["note"]))


@given(rows=st.lists(st.integers(0, 39), max_size=50))
@settings(max_examples=60, deadline=None)
def test_equals_the_slow_gather(graph, rows):
    batch = PatientStore(graph).batch(torch.tensor(rows, dtype=torch.long))
    assert len(batch) == batch.layout.num_patients == len(rows)
    assert_equals_by_hand(graph, batch, rows)
    torch.testing.assert_close(batch.y, graph["patient"].y[rows], rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("row", range(5))
def test_one_patient(graph, row):
    assert_equals_by_hand(graph, PatientStore(graph).batch(torch.tensor([row])), [row])


def test_a_patient_with_nothing(graph):
    batch = PatientStore(graph).batch(torch.tensor([3]))
    assert batch.layout.num_edges == 0
    assert batch.layout.num_patients == 1
    assert not batch.layout.presence.any()
    assert_equals_by_hand(graph, batch, [3])


def test_nobody_at_all(graph):
    batch = PatientStore(graph).batch(torch.empty(0, dtype=torch.long))
    assert len(batch) == 0
    assert_equals_by_hand(graph, batch, [])


def test_an_empty_graph():
    graph = graph_from_cohort(make_cohort(0))
    assert_equals_by_hand(graph, PatientStore(graph).batch(torch.empty(0, dtype=torch.long)), [])


def test_all_patients_in_order_give_the_graph_back(graph):
    batch = PatientStore(graph).batch(torch.arange(40))
    for name in graph.schema.names:
        for key, value in batch.observations[name].items():
            torch.testing.assert_close(value, graph[edge_type(name)][key], rtol=0, atol=0, equal_nan=True)


def test_presence_is_that_of_the_graph(graph):
    rows = torch.tensor([7, 7, 0, 39])
    presence = PatientStore(graph).batch(rows).layout.presence
    for number, name in enumerate(graph.schema.names):
        owner = graph[edge_type(name)].edge_index[0]
        assert presence[:, number].tolist() == [int(row) in owner.tolist() for row in rows]


def test_edges_of_a_graph_in_any_order_give_the_same_batch(graph):
    """Another tool may have permuted the edges of a table; patients' values may not change hands."""
    shuffled = graph.clone()
    store = shuffled["patient", "chart", "modality"]
    order = torch.randperm(store.num_edges, generator=torch.Generator().manual_seed(0))
    store.edge_index, store.numeric, store.categorical = (
        store.edge_index[:, order],
        store.numeric[order],
        store.categorical[order],
    )
    rows = torch.tensor([5, 1, 30])
    one, other = PatientStore(graph).batch(rows), PatientStore(shuffled).batch(rows)
    torch.testing.assert_close(one.observations["chart"], other.observations["chart"], equal_nan=True)


@pytest.mark.parametrize("rows", [[-1], [40], [0, 99]])
def test_rows_outside_the_graph(graph, rows):
    with pytest.raises(IndexError, match="expected rows between 0 and 39"):
        PatientStore(graph).batch(torch.tensor(rows))


def test_runs_worked_out_once_stand_beside_what_is_there(graph):
    store = PatientStore(graph)
    before = store.batch(torch.arange(40)).observations["diagnosis"]

    def doubled(observations):
        return observations["run_ptr"].diff(), {"twice": 2 * observations["code"]}

    store.put_runs("diagnosis", doubled, "own_ptr", chunk=7)
    for rows in ([31, 4, 4, 3, 17], []):
        observations = store.batch(torch.tensor(rows, dtype=torch.long)).observations["diagnosis"]
        assert set(observations) == {*before, "twice", "own_ptr"}
        torch.testing.assert_close(observations["twice"], 2 * observations["code"])
        torch.testing.assert_close(observations["own_ptr"], observations["run_ptr"])


def test_runs_of_a_modality_nobody_has():
    store = PatientStore(graph_from_cohort(make_cohort(12, nobody_has=("diagnosis",))))
    store.put_runs(
        "diagnosis", lambda observations: (observations["run_ptr"].diff(), {"own": observations["code"]}), "own_ptr"
    )
    observations = store.batch(torch.arange(12)).observations["diagnosis"]
    assert observations["own_ptr"].tolist() == [0]
    assert observations["own"].numel() == 0


def test_features_that_another_network_has_worked_out_stay(graph):
    store = PatientStore(graph)
    name = graph.schema.names[0]
    number = PatientStore(graph).patients_with(name).double()
    store.put_features(name, lambda observations: number.unsqueeze(1))
    before = store.batch(torch.arange(9)).observations[name]

    def never(observations):
        raise AssertionError("worked out twice")

    store.put_features(name, never)
    after = store.batch(torch.arange(9)).observations[name]
    assert set(after) == {"features"}
    assert torch.equal(after["features"], before["features"])


def test_rows_of_the_flattened_table_are_those_of_the_graph_also_once_features_are_put() -> None:
    graph = graph_from_cohort(make_cohort(40))
    store, rows = PatientStore(graph), torch.tensor([7, 3, 3, 39])
    for name in graph.schema.names:
        store.put_features(name, lambda tensors: torch.zeros(len(next(iter(tensors.values()))), 2))
    np.testing.assert_array_equal(store.flat(rows), flatten(graph, rows)[0])
    assert store.flat(rows[:0]).shape == (0, flat_width(graph.schema))
