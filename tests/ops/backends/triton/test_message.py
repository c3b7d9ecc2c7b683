"""What kernels do with a tile: which edges they visit, and the corners of activation and normalisation."""

from __future__ import annotations

import torch
import triton
import triton.language as tl

from gdsfd.ops.backends.triton.message import activate, edges_at, normalised, share


@triton.jit
def visit(order, starts, stops, visits, owners, LONGEST: tl.constexpr, R: tl.constexpr) -> None:
    """Writes the number of each edge visited into the row of its owner (walks) or of its program (slices)."""
    i, _live, first, last, steps = share(order, starts, stops, owners, R)
    for j in range(0, steps):
        e, on = edges_at(order, first, last, j, R)
        if order is None:
            at = tl.program_id(0) * LONGEST + j * R + tl.arange(0, R)
        else:
            at = i * LONGEST + j
        tl.store(visits + at, e, mask=on)


@triton.jit
def corners(z, norm, out, R: tl.constexpr) -> None:
    at = tl.arange(0, R)
    value = tl.load(z + at)
    tl.store(out + at, activate(value, True))
    tl.store(out + R + at, normalised(value, tl.load(norm + at)))


def test_walks_follow_the_permutation_owner_by_owner() -> None:
    order, starts = torch.tensor([4, 2, 0, 5, 1, 3]), torch.tensor([0, 3, 3, 4, 6])
    visits = torch.full((4, 3), -1)
    visit[(2,)](order, starts, None, visits, 4, LONGEST=3, R=2)
    assert visits.tolist() == [[4, 2, 0], [-1, -1, -1], [5, -1, -1], [1, 3, -1]]


def test_slices_are_consecutive_with_and_without_their_ends() -> None:
    starts, stops = torch.tensor([0, 3, 5]), torch.tensor([3, 3, 6])
    visits = torch.full((3, 3), -1)
    visit[(3,)](None, starts, stops, visits, 3, LONGEST=3, R=2)
    assert visits.tolist() == [[0, 1, 2], [-1, -1, -1], [5, -1, -1]]
    visits = torch.full((2, 3), -1)
    visit[(2,)](None, starts, None, visits, 2, LONGEST=3, R=2)
    assert visits.tolist() == [[0, 1, 2], [3, 4, -1]]


def test_activation_keeps_nan_and_a_norm_of_zero_gives_zero() -> None:
    values = torch.tensor([float("nan"), -1.0, float("inf"), 6.0])
    out = torch.zeros(2, 4)
    corners[(1,)](values, torch.tensor([2.0, 2.0, 0.0, 3.0]), out, R=4)
    expected = torch.tensor([[float("nan"), 0.0, float("inf"), 6.0], [float("nan"), -0.5, 0.0, 2.0]])
    torch.testing.assert_close(out, expected, equal_nan=True)
