"""Training patients are known by their values, whatever their ids are."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gdsfd.errors import InputError
from gdsfd.graph.from_cohort import edge_type, graph_from_cohort
from gdsfd.graph.take_patients import take_patients
from gdsfd.training.run_record.training_values import TrainingValues
from tests.cohort_factory import make_cohort

SALT = "0" * 32


@pytest.fixture(scope="module")
def graph():
    return graph_from_cohort(make_cohort(200))


@pytest.fixture(scope="module")
def own(graph):
    return TrainingValues.of(graph, SALT)


def measured(graph):
    """Patients with at least eight numbers, five of them different in one modality."""
    found = np.zeros(graph["patient"].num_nodes, bool)
    numbers, different = np.zeros(len(found), int), np.zeros(len(found), int)
    for fields in graph.schema.modalities:
        edges = graph[edge_type(fields.name)]
        for edge, row in enumerate(edges.edge_index[0].tolist()):
            if fields.kind == "table":
                values = edges.numeric[edge].numpy()
            elif fields.kind == "events":
                values = edges.value[edges.run_ptr[edge] : edges.run_ptr[edge + 1]].numpy()
            else:
                continue
            values = values[~np.isnan(values)]
            numbers[row] += len(values)
            different[row] = max(different[row], len(set(values.tolist())))
    return (numbers >= 8) & (different >= 5)


def test_whom_it_has_seen_is_known_in_any_order_and_under_any_id(graph, own):
    seen = np.isin(graph["patient"].split, ["train", "tuning"]) & measured(graph)
    assert 20 < seen.sum() < 160
    np.testing.assert_array_equal(own.seen(graph), seen)
    order = np.random.default_rng(0).permutation(200)
    other = take_patients(graph, rows=torch.from_numpy(order))
    other["patient"].id = [f"new {number}" for number in range(200)]
    np.testing.assert_array_equal(own.seen(other), seen[order])


def test_others_are_not(own):
    assert not own.seen(graph_from_cohort(make_cohort(300, seed=5))).any()


def test_one_other_value_makes_another_patient(graph, own):
    seen = np.flatnonzero(own.seen(graph))
    changed = graph.clone()
    labs = changed[edge_type("labs")]
    labs.value += 0.5
    still = np.flatnonzero(own.seen(changed))
    having = set(labs.edge_index[0].tolist())
    assert set(seen) - set(still) == {row for row in seen if row in having}


def test_what_very_many_have_is_no_person(graph):
    alike = graph.clone()  # a table of one row for all, and nothing else
    alike[edge_type("chart")].numeric[:] = torch.arange(alike[edge_type("chart")].numeric.shape[1])
    alike[edge_type("chart")].categorical[:] = 1
    labs = alike[edge_type("labs")]
    labs.value[:], labs.step[:], labs.item[:] = 1.0, 0, 0
    alike["patient"].split = ["train"] * 200
    assert not TrainingValues.of(alike, SALT).seen(alike).any()


def test_it_is_salted_survives_storing_and_is_none_of_earlier_runs(graph, own):
    other = TrainingValues.of(graph, "1" * 32)
    for role, hashes in own.hashes.items():
        assert not np.isin(hashes, other.hashes[role], kind="sort").any()
    again = TrainingValues.from_arrays(SALT, own.arrays(), "t.safetensors")
    np.testing.assert_array_equal(again.seen(graph), own.seen(graph))
    assert TrainingValues.from_arrays(SALT, {}, "t.safetensors") is None
    for damaged in ({"values.train": own.hashes["train"]}, {**own.arrays(), "values.tuning": np.zeros(3)}):
        with pytest.raises(InputError, match=r"t\.safetensors: damaged \(hashes of values"):
            TrainingValues.from_arrays(SALT, damaged, "t.safetensors")
