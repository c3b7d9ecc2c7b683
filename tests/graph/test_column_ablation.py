"""Hiding a column takes away that column and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gdsfd.cohort.schema import CohortSchema, ModalityFields
from gdsfd.graph.column_ablation import columns_of, has_cells, mask_column, without_cells
from gdsfd.graph.flatten import flatten
from gdsfd.graph.from_cohort import edge_type, graph_from_cohort
from gdsfd.graph.patient_store import PatientStore
from tests.cohort_factory import make_cohort
from tests.plugin_parts import declared


@pytest.fixture(scope="module")
def graph():
    return graph_from_cohort(make_cohort(80))


def table(graph, batch):
    """The batch as the baselines see it: its tensors put back into a graph of their own."""
    copy = graph.clone()
    copy["patient"].id = [graph["patient"].id[int(row)] for row in batch.rows]
    for number, name in enumerate(graph.schema.names):
        edges = copy[edge_type(name)]
        first, last = batch.layout.modality_ptr[number : number + 2].tolist()
        owner = batch.layout.patient[first:last]
        edges.edge_index = torch.stack([owner, torch.zeros_like(owner)])
        for key, value in batch.observations[name].items():
            edges[key] = value
    matrix, names = flatten(copy)
    return matrix, names


def belongs(column, name: str) -> bool:
    prefix = column.modality.name
    return {
        "numeric": name == f"{prefix}.{column.name}",
        "categorical": name.startswith(f"{prefix}.{column.name}="),
        "item": name.startswith(f"{prefix}.{column.name}."),
        "code": name == f"{prefix}={column.name}",
        "component": name == f"{prefix}.{column.name}",
    }[column.part]


def test_every_part_has_columns(graph):
    assert {column.part for column in columns_of(graph.schema)} == {
        "numeric", "categorical", "item", "code", "component"
    }  # fmt: skip


def test_only_the_hidden_column_changes(graph):
    batch = PatientStore(graph).batch(torch.arange(5, 60))
    before, names = table(graph, batch)
    for column in columns_of(graph.schema):
        after, _ = table(graph, mask_column(batch, column))
        for place, name in enumerate(names):
            if belongs(column, name):
                seen = np.isfinite(before[:, place]) & (before[:, place] != 0)
                gone = after[:, place][seen]
                if column.part == "component":
                    quantiles = column.modality.scales[column.place].quantiles
                    assert np.allclose(gone, quantiles[len(quantiles) // 2])
                else:
                    assert (np.isnan(gone) | (gone == 0)).all(), (column.name, name)
            elif not (column.part == "code" and name == f"{column.modality.name} (codes)"):
                np.testing.assert_array_equal(after[:, place], before[:, place], err_msg=f"{column.name}: {name}")


def test_events_go_with_their_summaries_and_the_batch_stays(graph):
    batch = PatientStore(graph).batch(torch.arange(80))
    column = next(one for one in columns_of(graph.schema) if one.part == "item")
    total = batch.observations[column.modality.name]["value"].numel()
    hidden = mask_column(batch, column).observations[column.modality.name]
    assert not (hidden["item"] == column.place).any()
    assert int(hidden["run_ptr"][-1]) == hidden["value"].numel() < total
    assert batch.observations[column.modality.name]["value"].numel() == total


def test_nobody():
    graph = graph_from_cohort(make_cohort(30))
    batch = PatientStore(graph).batch(torch.zeros(0, dtype=torch.long))
    for column in columns_of(graph.schema):
        assert len(mask_column(batch, column)) == 0


def test_a_kind_of_ones_own_has_no_columns_to_hide():
    with declared("waveform_kind"):
        fields = ModalityFields("ecg", "waveform", width=8)
        assert not list(columns_of(CohortSchema((fields,), ())))


def test_some_patients_lose_some_columns_and_the_others_none(graph):
    """Against hiding one column at a time in a batch of the patients concerned."""
    columns = list(columns_of(graph.schema))
    hidden = torch.rand(80, len(columns), generator=torch.Generator().manual_seed(1)) < 0.3
    store = PatientStore(graph)
    together, _ = table(graph, without_cells(store.batch(torch.arange(80)), columns, hidden))
    for row in range(0, 80, 7):
        batch = store.batch(torch.tensor([row]))
        for place in hidden[row].nonzero().squeeze(1).tolist():
            batch = mask_column(batch, columns[place])
        np.testing.assert_array_equal(together[row], table(graph, batch)[0][0])


def test_who_has_what(graph):
    """A column that a patient does not have can be hidden without a change, and one that is there cannot."""
    columns, store = list(columns_of(graph.schema)), PatientStore(graph)
    batch = store.batch(torch.arange(80))
    there, (before, names) = has_cells(batch, columns), table(graph, batch)
    assert 0.1 < float(there.double().mean()) < 0.9
    for place, column in enumerate(columns):
        after, _ = table(graph, mask_column(batch, column))
        same = [belongs(column, name) for name in names]
        moved = ~((before[:, same] == after[:, same]) | (np.isnan(before[:, same]) & np.isnan(after[:, same]))).all(1)
        if column.part == "component":
            assert not (moved & ~there[:, place].numpy()).any()  # the median itself stays
        else:
            np.testing.assert_array_equal(moved, there[:, place].numpy(), err_msg=column.name)
