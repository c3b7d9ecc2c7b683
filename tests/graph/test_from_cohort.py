"""The graph says exactly what the cohort says."""

from __future__ import annotations

import copy
from dataclasses import fields

import numpy as np
import pytest
import torch

from gdsfd.graph.from_cohort import edge_type, graph_from_cohort
from tests.cohort_factory import make_cohort


@pytest.mark.parametrize("outcomes", ["binary", "multiclass", "multilabel"])
@pytest.mark.parametrize("num_patients", [0, 1, 60])
def test_every_array_of_the_cohort_is_in_the_graph(num_patients, outcomes):
    cohort = make_cohort(num_patients, outcomes=outcomes, nobody_has=["note"])
    graph = graph_from_cohort(cohort)
    assert graph.validate()
    patient = graph["patient"]
    assert patient.num_nodes == num_patients
    assert (patient.id, patient.subject, patient.split, patient.environment, patient.groups) == (
        cohort.id,
        cohort.subject,
        cohort.split,
        cohort.environment,
        cohort.groups,
    )
    np.testing.assert_array_equal(patient.y.numpy(), cohort.y)
    assert patient.y.dtype == (torch.int64 if outcomes == "multiclass" else torch.float32)
    assert graph["modality"].name == list(cohort.schema.names)
    assert graph.edge_types == [edge_type(name) for name in cohort.schema.names]
    for number, (name, observations) in enumerate(cohort.observations.items()):
        store = graph[edge_type(name)]
        assert store.edge_index.dtype == torch.int64
        np.testing.assert_array_equal(store.edge_index[0].numpy(), observations.patient)
        assert (store.edge_index[1] == number).all()
        for spec in fields(observations):
            if spec.name != "patient":
                key = "run_ptr" if spec.name == "ptr" else spec.name
                np.testing.assert_array_equal(store[key].numpy(), getattr(observations, spec.name))


def test_a_modality_nobody_has_is_an_edge_type_without_edges():
    graph = graph_from_cohort(make_cohort(nobody_has=["labs"]))
    assert graph["patient", "labs", "modality"].edge_index.shape == (2, 0)
    assert graph["patient", "labs", "modality"].run_ptr.tolist() == [0]


def test_patients_with_nothing_stay():
    graph = graph_from_cohort(make_cohort())
    seen = torch.cat([graph[kind].edge_index[0] for kind in graph.edge_types])
    assert 3 not in seen
    assert graph["patient"].num_nodes == 60


def test_no_environment_declared_means_no_attribute():
    graph = graph_from_cohort(make_cohort(environments=None))
    assert "environment" not in graph["patient"]


def test_read_only_arrays_are_copied_and_writable_ones_shared():
    cohort = make_cohort()
    chart = cohort.observations["chart"]
    chart.numeric.flags.writeable = False
    graph = graph_from_cohort(cohort)
    graph["patient", "chart", "modality"].numeric.fill_(7)
    assert not (chart.numeric == 7).all()
    assert graph["patient", "note", "modality"].vector.data_ptr() == cohort.observations["note"].vector.ctypes.data


def test_pyg_can_copy_move_and_print_it():
    graph = graph_from_cohort(make_cohort())
    for other in (copy.copy(graph), copy.deepcopy(graph), graph.clone(), graph.to("cpu")):
        assert other.schema == graph.schema
        assert other["patient"].split == graph["patient"].split
    printed = str(graph)
    assert "CohortSchema(5 modalities, outcomes: mortality)" in printed
    assert max(len(line) for line in printed.splitlines()) < 80


def test_no_attribute_that_pyg_shifts_when_it_batches():
    graph = graph_from_cohort(make_cohort())
    names = {key for store in graph.stores for key in store}
    assert {name for name in names if "index" in name or "batch" in name} == {"edge_index"}
