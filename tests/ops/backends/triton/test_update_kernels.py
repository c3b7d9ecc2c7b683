"""The edge update's corners: channels beyond a block, a NaN, an infinite term."""

from __future__ import annotations

import pytest
import torch

from gdsfd.ops import Bipartite, edge_update

GRAPH = Bipartite.from_edges(torch.tensor([0, 1, 1]), torch.tensor([0, 0, 1]), 2, 2)[0]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_is_not_finite_stays_on_its_edge(value: float) -> None:
    edge = torch.ones(3, 130)
    edge[1, 129] = value
    leaves = [torch.ones(2, 130), torch.ones(2, 130), edge]
    found = edge_update(*leaves, None, GRAPH, backend="triton")
    torch.testing.assert_close(found, edge_update(*leaves, None, GRAPH, backend="reference"), equal_nan=True)
    found[1, 129] = 3.0
    assert (found == 3).all()


def test_a_message_at_the_kink_passes_no_gradient() -> None:
    """As torch's relu: where the sum is 0, the gradient is 0."""
    edge = torch.tensor([[-2.0], [-1.0], [-3.0]], requires_grad=True)
    residual = torch.zeros(3, 1, requires_grad=True)
    out = edge_update(torch.ones(2, 1), torch.ones(2, 1), edge, residual, GRAPH, backend="triton")
    assert out.flatten().tolist() == [0.0, 1.0, 0.0]
    assert torch.autograd.grad(out.sum(), (edge, residual))[0].flatten().tolist() == [0.0, 1.0, 0.0]
