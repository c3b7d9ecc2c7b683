"""Chunk by chunk: several chunks against the reference, and the same bits every time."""

from __future__ import annotations

import pytest
import torch
from ops.problems import COMPARED, Problem, compare, crowd, needs, with_gradients

from gdsfd.ops.chunks import chunks


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("backend", COMPARED)
@pytest.mark.parametrize("toward", ["left", "right"])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(("patients", "hubs"), [(6000, 3), (600, 40)])
def test_several_chunks(backend: str, toward: str, masked: bool, patients: int, hubs: int) -> None:
    graph, edge, nodes, mask = crowd(patients, hubs=hubs)
    assert len(chunks(graph)) > 2
    node = nodes[:hubs] if toward == "left" else nodes
    for dtype, tolerance in ((torch.float64, 1e-10), (torch.float32, 1e-5)):
        leaves = [tensor.to(dtype).requires_grad_() for tensor in (node, edge, mask)]
        problem = Problem(leaves[0], leaves[1], graph, toward, "mean", "relu", leaves[2] if masked else None, None)
        compare(problem, needs(backend), with_gradients(problem, "reference"), tolerance)


@pytest.mark.parametrize("toward", ["left", "right"])
def test_the_same_bits_every_time(toward: str) -> None:
    """Two runs, and one thread against two."""
    graph, edge, nodes, mask = crowd(num_left=6000, channels=32)
    node = nodes[:3] if toward == "left" else nodes
    threads, results = torch.get_num_threads(), []
    try:
        for count in (1, 1, 2):
            torch.set_num_threads(count)
            leaves = [tensor.float().requires_grad_() for tensor in (node, edge, mask)]
            problem = Problem(leaves[0], leaves[1], graph, toward, "mean", "relu", leaves[2], None)
            results.append(with_gradients(problem, "segment"))
    finally:
        torch.set_num_threads(threads)
    for other in results[1:]:
        for name, tensor in results[0].items():
            assert torch.equal(tensor, other[name]), name
