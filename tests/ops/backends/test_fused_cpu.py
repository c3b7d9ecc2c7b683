"""The fused backend of the CPU refuses what it is not for."""

from __future__ import annotations

import pytest
import torch

from gdsfd.errors import InputError
from gdsfd.ops import Bipartite, edge_messages, linear_edge_update

GRAPH = Bipartite(torch.tensor([0, 1]), torch.tensor([0, 0]), torch.tensor([0, 2]), 2, 1)


@pytest.mark.parametrize("operation", ["edge_messages", "linear_edge_update"])
@pytest.mark.parametrize("kind", ["half", "autocast", "elsewhere"])
def test_other_types_and_devices(operation: str, kind: str) -> None:
    dtype, device = torch.bfloat16 if kind == "half" else torch.float32, "meta" if kind == "elsewhere" else "cpu"
    edge, weight, row = (torch.ones(*shape, dtype=dtype, device=device) for shape in ((2, 4), (4, 4), (1, 4)))
    call = {"edge_messages": edge_messages, "linear_edge_update": linear_edge_update}[operation]
    message = f"{operation}: the backend 'fused_cpu' takes float32 and float64 on the CPU, without autocast"
    with torch.autocast("cpu", enabled=kind == "autocast"), pytest.raises(InputError, match=message):
        call(edge, weight, row, row, GRAPH, backend="fused_cpu")


def test_without_a_gradient_nothing_is_kept() -> None:
    edge, weight, row = torch.ones(2, 4), torch.eye(4), torch.zeros(1, 4)
    to_left, to_right = edge_messages(edge, weight, row, row, GRAPH, backend="fused_cpu")
    assert to_left.grad_fn is None
    assert to_right.tolist() == [[2.0] * 4]
