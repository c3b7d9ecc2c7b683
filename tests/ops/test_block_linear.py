"""Blocks of columns, each mapped by its own weights for every member: against a loop, and by finite differences."""

from __future__ import annotations

import torch

from gdsfd.ops.block_linear import block_linear

ENDS = (0, 3, 3, 8)  # the second block has no column


def problem() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    values, weight, bias = (
        torch.randn(*shape, generator=generator, dtype=torch.float64) for shape in ((5, 8), (8, 2, 4), (2, 3, 4))
    )
    return values, weight.requires_grad_(), bias.requires_grad_()


def test_each_block_is_mapped_by_its_own_weights() -> None:
    values, weight, bias = problem()
    found = block_linear(values, weight, bias, ENDS)
    assert found.shape == (2, 3, 5, 4)
    for member in range(2):
        for block in range(3):
            columns = slice(ENDS[block], ENDS[block + 1])
            expected = values[:, columns] @ weight[columns, member] + bias[member, block]
            torch.testing.assert_close(found[member, block], expected)


def test_gradients_are_those_of_finite_differences() -> None:
    values, weight, bias = problem()
    assert torch.autograd.gradcheck(lambda *maps: block_linear(values, *maps, ENDS), (weight, bias))
