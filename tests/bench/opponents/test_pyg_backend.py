"""PyG's message passing gives what a loop over edges gives, in both directions and in its gradients."""

from __future__ import annotations

import pytest
import torch

from gdsfd.bench.opponents import pyg_backend
from gdsfd.ops.backends import BACKENDS
from tests.ops.problems import Problem, compare, leaf, random_graph, with_gradients


@pytest.mark.parametrize("toward", ["left", "right"])
@pytest.mark.parametrize(("reduce", "activation", "masked"), [("sum", "none", True), ("mean", "relu", False)])
def test_values_and_gradients_are_those_of_the_loop(toward, reduce, activation, masked):
    generator = torch.Generator().manual_seed(0)
    graph = random_graph(6, 3, "one hub has none", generator)
    shape = {"generator": generator, "dtype": torch.float64}
    node, edge = leaf(3 if toward == "left" else 6, 4, **shape), leaf(graph.num_edges, 4, **shape)
    mask = leaf(graph.num_edges, 4, **shape) if masked else None
    problem = Problem(node, edge, graph, toward, reduce, activation, mask, None)
    compare(problem, "pyg", with_gradients(problem, None), 1e-12)


def test_it_is_declared_by_its_import():
    assert pyg_backend.usable()
    assert BACKENDS.find("pyg").declared_in == pyg_backend.__name__
