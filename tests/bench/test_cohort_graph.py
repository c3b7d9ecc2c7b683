"""A random graph is as sparse as asked for, the same for a seed, and one that the package takes."""

from __future__ import annotations

import torch

from gdsfd.bench.cohort_graph import FEATURES, random_graph
from gdsfd.bench.problem import Shape
from gdsfd.graph.availability import presence_of
from gdsfd.graph.patient_store import PatientStore

SHAPE = Shape(2000, 3, 0.3, dtype="float64")


def test_density_outcome_and_sizes():
    graph = random_graph(SHAPE, 0)
    share = presence_of(graph).double().mean(0)
    assert share.shape == (3,)
    assert ((share - 0.3).abs() < 0.04).all()
    assert abs(float(graph["patient"].y.mean()) - 0.2) < 0.03
    for number, edge_type in enumerate(graph.edge_types):
        store = graph[edge_type]
        assert store.vector.shape == (store.edge_index.size(1), FEATURES)
        assert store.vector.dtype == torch.float64
        assert set(store.edge_index[1].tolist()) == {number}


def test_a_seed_gives_one_graph_and_the_global_generator_stays():
    before = torch.get_rng_state()
    one, same, other = (random_graph(Shape(50, 2, 0.5), seed) for seed in (1, 1, 2))
    assert torch.equal(before, torch.get_rng_state())
    first = one.edge_types[0]
    assert torch.equal(one[first].vector, same[first].vector)
    assert not torch.equal(one["patient"].y, other["patient"].y)


def test_batches_hold_the_vectors_of_their_patients():
    graph = random_graph(Shape(40, 2, 0.5), 3)
    batch = PatientStore(graph).batch(torch.tensor([7, 2, 30]))
    presence = presence_of(graph)[[7, 2, 30]]
    assert torch.equal(batch.layout.presence, presence)
    assert torch.equal(batch.y, graph["patient"].y[[7, 2, 30]])
