"""Whatever part of a graph PyG takes, every patient keeps the own ids, groups and values."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_geometric.data import Batch, HeteroData
from torch_geometric.loader import DataLoader
from torch_geometric.loader.utils import filter_hetero_data

from gdsfd.errors import InputError
from gdsfd.graph.check_graph import check_graph
from gdsfd.graph.from_cohort import edge_type, graph_from_cohort
from gdsfd.graph.patient_store import PatientStore
from gdsfd.graph.serialization import load_graph, save_graph
from tests.cohort_factory import make_cohort
from tests.graph.patient_records import assert_is_part, records


@pytest.fixture(scope="module")
def graph() -> HeteroData:
    return graph_from_cohort(make_cohort(40))


@given(st.lists(st.integers(0, 39), unique=True, max_size=40))
@settings(max_examples=25, deadline=None)
def test_subgraph_of_any_patients_in_any_order(graph, rows):
    part = graph.subgraph({"patient": torch.tensor(rows, dtype=torch.long)})
    assert_is_part(part, graph, [graph["patient"].id[row] for row in rows])


@pytest.mark.parametrize("rows", [[1, 1, 2], [0, 5, 0, 5]])
def test_a_patient_taken_twice_is_refused(graph, rows):
    ids, edges = list(graph["patient"].id), graph.num_edges
    with pytest.raises(
        InputError, match=rf"{len(rows) - len(set(rows))} patients are taken more than once: '{ids[rows[0]]}"
    ):
        graph.subgraph({"patient": torch.tensor(rows)})
    assert (graph["patient"].id, graph.num_edges) == (ids, edges)


def test_subgraph_by_a_mask_and_again(graph):
    mask = torch.arange(40) % 2 == 1
    half = graph.subgraph({"patient": mask})
    assert_is_part(half, graph, graph["patient"].id[1::2])
    quarter = half.subgraph({"patient": torch.arange(20)[1::2]})
    assert_is_part(quarter, graph, graph["patient"].id[3::4])
    assert records(graph) == records(graph_from_cohort(make_cohort(40)))  # the whole is untouched


@given(st.data())
@settings(max_examples=25, deadline=None)
def test_edge_subgraph_of_any_edges_in_any_order(graph, data):
    chosen = {}
    for name in graph.schema.names:
        count = graph[edge_type(name)].num_edges
        chosen[edge_type(name)] = torch.tensor(
            data.draw(st.lists(st.integers(0, max(count - 1, 0)), unique=True, max_size=count)), dtype=torch.long
        )
    part = graph.edge_subgraph(chosen)
    check_graph(part)
    before, now = records(graph), records(part)
    for own, record in now.items():
        for name in graph.schema.names:
            assert record.get(name) in (None, before[own].get(name))
    kept = {
        name: {graph["patient"].id[graph[t].edge_index[0][e]] for e in chosen[t]}
        for name, t in ((name, edge_type(name)) for name in graph.schema.names)
    }
    assert {name: {own for own, record in now.items() if name in record} for name in kept} == kept


def test_as_many_packed_values_as_edges(graph):
    """PyG takes a tensor with one row per edge for an edge attribute, which packed values then only look like."""
    cohort = make_cohort(40)
    codes = cohort.observations["diagnosis"]
    codes.code = codes.code[codes.ptr[:-1]].copy()
    codes.ptr = np.arange(len(codes.patient) + 1)
    single = graph_from_cohort(cohort)
    edges = single["patient", "diagnosis", "modality"]
    assert len(edges.code) == edges.num_edges
    order = torch.arange(edges.num_edges).flip(0)
    turned = single.edge_subgraph({edge_type("diagnosis"): order})
    assert records(turned) == records(single)
    some = single.subgraph({"patient": torch.tensor([30, 2, 11])})
    assert_is_part(some, single, [single["patient"].id[row] for row in (30, 2, 11)])


def test_the_slicing_step_of_neighbour_loaders(graph):
    rows = torch.tensor([7, 3, 21])
    place = {row: position for position, row in enumerate(rows.tolist())}
    nodes = {"patient": rows, "modality": torch.arange(len(graph["modality"].name))}
    kept, sources, targets = {}, {}, {}
    for name in graph.schema.names:
        edges = graph[edge_type(name)]
        kept[edge_type(name)] = torch.isin(edges.edge_index[0], rows).nonzero().flatten()
        taken = edges.edge_index[:, kept[edge_type(name)]]
        sources[edge_type(name)] = torch.tensor([place[row] for row in taken[0].tolist()], dtype=torch.long)
        targets[edge_type(name)] = taken[1]
    part = filter_hetero_data(graph, nodes, sources, targets, kept, dict.fromkeys(graph.edge_types))
    assert_is_part(part, graph, [graph["patient"].id[row] for row in rows.tolist()])


@pytest.mark.parametrize("collect", [Batch.from_data_list, lambda graphs: next(iter(DataLoader(graphs, batch_size=2)))])
def test_a_batch_taken_apart_is_what_went_in(graph, collect):
    other = graph_from_cohort(make_cohort(9, seed=1))
    for before, after in zip([graph, other], collect([graph, other]).to_data_list(), strict=True):
        assert {t: set(after[t].keys()) for t in after.edge_types} == {
            t: set(before[t].keys()) for t in after.edge_types
        }
        assert set(after["patient"].keys()) == set(before["patient"].keys())
        assert records(after) == records(before)
        assert after.schema == before.schema
        assert after.spec == before.spec
        check_graph(after)


def test_a_batch_of_graphs_is_not_read_as_one(graph):
    batch = Batch.from_data_list([graph, graph])
    with pytest.raises(InputError, match=r"batch of graphs: take it apart first, batch\.to_data_list"):
        PatientStore(batch)


@pytest.mark.parametrize(
    "way", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one)), lambda one: one.to("cpu")]
)
def test_copies_can_be_sliced_too(graph, way):
    again = way(graph)
    assert records(again) == records(graph)
    assert_is_part(
        again.subgraph({"patient": torch.tensor([5, 1])}), graph, [graph["patient"].id[5], graph["patient"].id[1]]
    )


def test_a_plain_hetero_data_that_was_sliced_is_refused(graph):
    plain = HeteroData.from_dict(graph.to_dict())
    order = torch.arange(plain["patient", "labs", "modality"].num_edges).flip(0)
    with pytest.raises(InputError, match="modality 'labs': the graph was sliced by something that"):
        PatientStore(plain.edge_subgraph({edge_type("labs"): order}))


def test_modalities_are_not_taken_out_as_nodes(graph):
    part = graph.subgraph({"modality": torch.tensor([0, 1])})
    assert part["modality"].name == list(graph.schema.names[:2])
    with pytest.raises(InputError, match="keep_modalities"):
        PatientStore(part)


def test_what_is_saved_of_a_part_holds_nobody_else(graph, tmp_path):
    part = graph.subgraph({"patient": torch.tensor([6])})
    save_graph(part, tmp_path / "part")
    again = load_graph(tmp_path / "part")
    assert records(again) == records(part)
    assert len(again["patient", "labs", "modality"].value) == len(part["patient", "labs", "modality"].value)
    others = [own for own in graph["patient"].id if own != part["patient"].id[0]]
    written = (tmp_path / "part" / "graph.json").read_text()
    assert not [own for own in others if f'"{own}"' in written]
