"""Cells: every measured value of every kind of modality, against loops over patients."""

from __future__ import annotations

import pytest
import torch
from torch_geometric.data import HeteroData

from gdsfd.cohort.schema import LEVEL_MISSING
from gdsfd.graph.from_cohort import edge_type, graph_from_cohort
from gdsfd.graph.loader import rows_of
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.predictor import Predictor
from tests.cohort_factory import make_cohort
from tests.nn.encoders.built_cells import cell_tokens


def fitted(graph: HeteroData) -> Predictor:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = Predictor(graph.schema, "grape", channels=6)
        network.fit_inputs([PatientStore(graph).batch(rows_of(graph, "train"))])
    return network


def nodes_of(graph: HeteroData, name: str, observation: int) -> list[int]:
    """Which of a modality's nodes an observation has, by loops over its raw values."""
    number = graph.schema.names.index(name)
    fields, edges = graph.schema.modalities[number], graph[edge_type(name)]
    if fields.kind == "table":
        found = [at for at, value in enumerate(edges.numeric[observation].tolist()) if value == value]
        before = len(fields.numeric)
        for column, levels in enumerate(fields.levels):
            level = int(edges.categorical[observation, column])
            if level != LEVEL_MISSING:
                found.append(before + level - 1)
            before += len(levels) + 1
        return found
    if fields.kind == "events":
        return edges.summary_item[edges.summary_ptr[observation] : edges.summary_ptr[observation + 1]].tolist()
    if fields.kind == "codes":
        return [
            0,
            *(1 + code for code in edges.code[edges.run_ptr[observation] : edges.run_ptr[observation + 1]].tolist()),
        ]
    return [0]


def test_cells_are_what_was_measured(graph: HeteroData) -> None:
    batch = PatientStore(graph).batch(torch.arange(60))
    for encoder, name in zip(cell_tokens(graph)._encoders, graph.schema.names):
        cells = encoder.cells(batch.observations[name])
        count = graph[edge_type(name)].num_edges
        assert cells.num_observations == count
        assert (cells.observation.diff() >= 0).all()
        for observation in range(count):
            mine = cells.node[cells.observation == observation].tolist()
            assert mine == nodes_of(graph, name, observation), name


def test_values_are_the_features_that_the_plan_names(graph: HeteroData) -> None:
    batch = PatientStore(graph).batch(torch.arange(60))
    for encoder, name in zip(cell_tokens(graph)._encoders, graph.schema.names):
        features = encoder.features(batch.observations[name])
        features = features.to_dense() if features.is_sparse else features
        cells, plan = encoder.cells(batch.observations[name]), encoder.cell_plan
        for observation, node, value in zip(cells.observation, cells.node, cells.value):
            if node < plan.valued.size(0):
                torch.testing.assert_close(value, features[observation, plan.valued[node]])
                assert plan.flag is None or value[plan.flag] == 1
            else:
                assert features[observation, plan.indicator[node - plan.valued.size(0)]] == 1
        columns = torch.cat([plan.valued.flatten(), plan.indicator])
        assert sorted(columns.tolist()) == list(range(features.size(1)))  # no feature is left out, none is twice in


def test_the_layout_has_the_edges_of_all_modalities(graph: HeteroData) -> None:
    tokens = cell_tokens(graph)
    rows = torch.tensor([50, 3, 7, 7, 11])  # row 3 has nothing; a patient may come twice
    layout = tokens(PatientStore(graph).batch(rows))[1]
    plans = [encoder.cell_plan for encoder in tokens._encoders]
    valued = [plan.valued.size(0) for plan in plans]
    found = {(int(patient), int(node)) for patient, node in zip(layout.patient, layout.modality)}
    expected = set()
    for number, name in enumerate(graph.schema.names):
        owner = graph[edge_type(name)].edge_index[0].tolist()
        for place, row in enumerate(rows.tolist()):
            for node in nodes_of(graph, name, owner.index(row)) if row in owner else ():
                later = sum(valued) + sum(plan.indicator.numel() for plan in plans[:number]) - valued[number]
                expected.add((place, node + (sum(valued[:number]) if node < valued[number] else later)))
    assert found == expected
    assert layout.num_edges == len(found)
    order = layout.modality * len(rows) + layout.patient
    assert (order.diff() > 0).all()
    assert layout.modality_ptr.tolist() == [int((layout.modality < node).sum()) for node in range(tokens.num_nodes + 1)]
    assert layout.edges.left_degree[1] == 0


def test_tokens_are_scaled_values_through_map_gain_and_offset(graph: HeteroData) -> None:
    network = fitted(graph)
    tokens = network.cells
    with torch.no_grad():
        for part in tokens.values:
            part.offset.normal_(generator=torch.Generator().manual_seed(3))
    batch = PatientStore(graph).batch(torch.arange(20))
    got, layout = tokens(batch)
    place = 0
    for number, (encoder, part) in enumerate(zip(network.encoders, tokens.values)):
        statistics, plan = encoder.token, encoder.cell_plan
        features = encoder.features(batch.observations[graph.schema.names[number]])
        features = features.to_dense() if features.is_sparse else features
        owner = batch.layout.patient[batch.layout.modality == number].tolist()
        for node in range(plan.valued.size(0)):
            columns = plan.valued[node]
            center, spread = statistics.center[columns].clone(), statistics.spread[columns].clone()
            if plan.flag is not None:
                center[plan.flag], spread[plan.flag] = 0, max(float(spread[plan.flag]), 0.2)
            while place < layout.num_edges and layout.modality[place] == tokens._valued[number] + node:
                value = features[owner.index(int(layout.patient[place])), columns]
                scaled = ((value - center) / spread).clamp(-5, 5) * statistics.relevance[columns]
                expected = part.linear.weight @ scaled * part.gain[node]
                expected = expected + part.offset[node] * statistics.relevance[columns].max()
                torch.testing.assert_close(got[place], expected * tokens.scale)
                assert layout.value[place] == pytest.approx(
                    float(((value - center) / spread)[0].clamp(-5, 5)), abs=1e-5
                )
                place += 1
    assert place > 100
    for edge in range(place, layout.num_edges):
        node = int(layout.modality[edge]) - tokens._valued[-1]
        number = max(at for at, before in enumerate(tokens._indicators[:-1]) if before <= node)
        statistics = network.encoders[number].token
        column = network.encoders[number].cell_plan.indicator[node - tokens._indicators[number]]
        scale = statistics.relevance[column] / statistics.spread[column].clamp(min=0.2)
        torch.testing.assert_close(got[edge], tokens.indicator[node] * scale * tokens.scale)
        assert torch.isnan(layout.value[edge])


def test_patients_mean_tokens_start_with_the_same_spread_everywhere(graph: HeteroData) -> None:
    for num_patients in (60, 300):
        other = graph_from_cohort(make_cohort(num_patients))
        tokens, layout = fitted(other).cells(PatientStore(other).batch(rows_of(other, "train")))
        total = tokens.new_zeros(layout.num_patients, 6).index_add_(0, layout.patient, tokens)
        mean = total / layout.edges.left_degree.clamp(min=1).unsqueeze(1)
        assert 0.2 < float(mean.detach().std()) < 1.2


@pytest.mark.parametrize("most_bytes", [2**30, 2000, 0])
def test_cells_worked_out_once_give_the_same_scores(graph: HeteroData, most_bytes: int) -> None:
    network = fitted(graph).eval()
    rows = torch.randperm(60, generator=torch.Generator().manual_seed(1))[:25]
    store = PatientStore(graph)
    expected = network(store.batch(rows)).logits
    network.prepare(store, most_bytes)
    batch = store.batch(rows)
    assert ("cell_ptr" in batch.observations["diagnosis"]) == (most_bytes > 0)
    torch.testing.assert_close(network(batch).logits, expected)
    assert network(store.batch(rows[:0])).logits.shape == (0, 1)


@pytest.mark.parametrize("missing", [("chart",), ("labs", "diagnosis"), ("chart", "labs", "diagnosis", "note", "scan")])
def test_modalities_that_nobody_has(missing: tuple[str, ...]) -> None:
    graph = graph_from_cohort(make_cohort(40, nobody_has=missing))
    network = fitted(graph).eval()
    store = PatientStore(graph)
    network.prepare(store)
    batch = store.batch(torch.arange(40))
    network.fit_memory(lambda: [batch])
    assert torch.isfinite(network(batch).logits).all()
    if len(missing) == 5:
        assert network.inputs(batch)[1].num_edges == 0


def test_an_ensembles_members_arrange_a_batch_once(graph: HeteroData) -> None:
    first, second = cell_tokens(graph), cell_tokens(graph)
    batch = PatientStore(graph).batch(torch.arange(10))
    assert first.arrange(batch) is second.arrange(batch)
    assert first.arrange(PatientStore(graph).batch(torch.arange(10))) is not first.arrange(batch)
