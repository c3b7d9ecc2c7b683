"""A linear map of rows is torch's, also with members mapped over."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.func import functional_call

from gdsfd.nn.fusion.row_linear import RowLinear


@pytest.mark.parametrize("shape", [(3,), (5, 3), (5, 2, 3), (5, 2, 4, 3), (0, 2, 3)])
def test_it_is_torchs(shape: tuple[int, ...]) -> None:
    made, like, values = RowLinear(3, 7), nn.Linear(3, 7), torch.randn(shape)
    like.load_state_dict(made.state_dict())
    torch.testing.assert_close(made(values), like(values))


def test_members_mapped_over_are_each_by_itself() -> None:
    made, values = RowLinear(3, 7), torch.randn(2, 5, 4, 3)
    weights = {"weight": torch.randn(2, 7, 3), "bias": torch.randn(2, 7)}
    found = torch.vmap(lambda mine, each: functional_call(made, mine, each))(weights, values)
    for member in range(2):
        expected = values[member] @ weights["weight"][member].t() + weights["bias"][member]
        torch.testing.assert_close(found[member], expected)
