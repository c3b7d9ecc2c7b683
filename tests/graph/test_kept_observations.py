"""Leaving observations out of a batch is leaving them out of the graph."""

from __future__ import annotations

import torch

from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.kept_observations import kept_observations
from gdsfd.graph.modality_ablation import hide_observations
from gdsfd.graph.patient_store import PatientStore
from tests.cohort_factory import make_cohort


def test_it_equals_the_graph_without_them() -> None:
    graph = graph_from_cohort(make_cohort(70))
    rows = torch.tensor([5, 3, 3, 13, 60, 41])
    kept = torch.rand(70, len(graph.schema.names), generator=torch.Generator().manual_seed(0)) < 0.6
    kept[5], kept[60] = False, True
    got = kept_observations(PatientStore(graph).batch(rows), graph.schema, kept[rows])
    expected = PatientStore(hide_observations(graph, ~kept)).batch(rows)
    assert torch.equal(got.layout.presence, expected.layout.presence)
    assert torch.equal(got.layout.modality_ptr, expected.layout.modality_ptr)
    assert torch.equal(got.layout.patient, expected.layout.patient)
    for name, arrays in expected.observations.items():
        assert arrays.keys() == got.observations[name].keys()
        for key, value in arrays.items():
            torch.testing.assert_close(got.observations[name][key], value, rtol=0, atol=0, equal_nan=True)


def test_keeping_all_changes_nothing() -> None:
    graph = graph_from_cohort(make_cohort(20))
    batch = PatientStore(graph).batch(torch.arange(20))
    same = kept_observations(batch, graph.schema, torch.ones(20, len(graph.schema.names), dtype=torch.bool))
    assert torch.equal(same.layout.patient, batch.layout.patient)
    assert all(
        torch.equal(torch.nan_to_num(value.double()), torch.nan_to_num(batch.observations[name][key].double()))
        for name, arrays in same.observations.items()
        for key, value in arrays.items()
    )
