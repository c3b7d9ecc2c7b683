"""What ``auto`` takes, and that it gives the reference's answer."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from ops.problems import max_error

from gdsfd.errors import InputError
from gdsfd.ops import Bipartite, aggregate, edge_update
from gdsfd.ops.backends import available, backend
from gdsfd.ops.choose import choose, choose_edge_update


def a_graph(num_left: int, num_right: int, density: float) -> Bipartite:
    present = torch.rand(num_left, num_right, generator=torch.Generator().manual_seed(0)) < density
    return Bipartite.from_edges(*present.nonzero().unbind(1), num_left, num_right)[0]


@pytest.mark.parametrize(
    ("graph", "channels", "expected"),
    [
        (a_graph(100, 3, 0.5), 8, "reference"),
        (a_graph(5000, 3, 0.9), 8, "segment"),
        (a_graph(5000, 3, 1.0), 8, "dense"),
        (a_graph(5000, 3, 1.0), 1024, "segment"),
        (a_graph(5, 3, 0.0), 8, "reference"),
    ],
)
def test_rules(graph: Bipartite, channels: int, expected: str) -> None:
    node = torch.randn(graph.num_right, channels, generator=torch.Generator().manual_seed(1))
    edge = torch.randn(graph.num_edges, channels, generator=torch.Generator().manual_seed(2))
    assert choose(node, graph) == expected
    got = aggregate(node, edge, graph, "left")
    assert max_error(got, aggregate(node, edge, graph, "left", backend="reference")) < 1e-5
    assert choose_edge_update(edge) == ("reference" if graph.num_edges <= 4096 else "segment")
    left = torch.ones(1, channels)
    updated = edge_update(left, node, edge, edge, graph)
    assert max_error(updated, edge_update(left, node, edge, edge, graph, backend="reference")) < 1e-6


def test_integers_go_where_they_can() -> None:
    graph = a_graph(2, 2, 1.0)
    node, edge = torch.tensor([[1], [2]]), torch.zeros(4, 1, dtype=torch.long)
    assert aggregate(node, edge, graph, "left", "sum", "none").flatten().tolist() == [3, 3]


def test_names() -> None:
    assert {"reference", "segment", "dense"} <= set(available())
    with pytest.raises(InputError, match=r"unknown backend 'dens'\. Did you mean 'dense'\?"):
        backend("dens")


def test_importing_the_operations_loads_no_optional_kernels() -> None:
    code = "import sys, gdsfd.ops; print({'torch_scatter', 'triton', 'torch_geometric'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
