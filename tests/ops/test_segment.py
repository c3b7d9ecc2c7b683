"""Segment reductions against a loop over groups, in value and gradient."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gdsfd.ops import segment_max, segment_mean, segment_softmax, segment_sum


def by_loop(source: torch.Tensor, index: torch.Tensor, num_groups: int, reduce: str) -> torch.Tensor:
    rows = []
    for group in range(num_groups):
        members = source[index == group]
        if members.size(0) == 0:
            rows.append(torch.zeros(source.shape[1:], dtype=source.dtype))
        elif reduce == "sum":
            rows.append(members.sum(0))
        elif reduce == "mean":
            rows.append(members.mean(0))
        elif reduce == "max":
            rows.append(members.amax(0))
        else:
            rows.append(members.amin(0))
    return torch.stack(rows) if rows else source.new_zeros((0, *source.shape[1:]))


REDUCTIONS = {"sum": segment_sum, "mean": segment_mean, "max": segment_max}


@settings(max_examples=40, deadline=None)
@given(
    num_rows=st.integers(0, 20),
    num_groups=st.integers(1, 6),
    width=st.integers(1, 3),
    seed=st.integers(0, 10_000),
    reduce=st.sampled_from(sorted(REDUCTIONS)),
)
def test_equals_loop(num_rows: int, num_groups: int, width: int, seed: int, reduce: str) -> None:
    generator = torch.Generator().manual_seed(seed)
    source = torch.randn(num_rows, width, dtype=torch.float64, generator=generator, requires_grad=True)
    index = torch.randint(0, num_groups, (num_rows,), generator=generator)
    weight = torch.randn(num_groups, width, dtype=torch.float64, generator=generator)

    result = REDUCTIONS[reduce](source, index, num_groups)
    expected = by_loop(source, index, num_groups, reduce)
    torch.testing.assert_close(result, expected)
    if num_rows:
        (gradient,) = torch.autograd.grad((result * weight).sum(), source)
        (expected_gradient,) = torch.autograd.grad((expected * weight).sum(), source)
        torch.testing.assert_close(gradient, expected_gradient)


def test_empty_groups_are_zero() -> None:
    source = torch.full((2, 1), -5.0)
    index = torch.tensor([1, 1])
    for reduction in REDUCTIONS.values():
        result = reduction(source, index, 3)
        assert result[0] == 0
        assert result[2] == 0
    assert segment_max(source, index, 3)[1] == -5


def test_integers_and_infinities() -> None:
    index = torch.tensor([0, 0, 1])
    assert segment_sum(torch.tensor([1, 2, 3]), index, 2).tolist() == [3, 3]
    infinite = torch.tensor([float("-inf"), 1.0, float("inf")])
    assert segment_max(infinite, index, 2).tolist() == [1.0, float("inf")]


@pytest.mark.parametrize("shift", [0.0, 1e4])
def test_softmax_adds_up_and_is_safe(shift: float) -> None:
    score = torch.tensor([1.0, 2.0, 3.0, 4.0]) + shift
    index = torch.tensor([0, 1, 0, 0])
    weight = segment_softmax(score, index, 3)
    assert weight[index == 0].sum().item() == pytest.approx(1)
    assert weight[1].item() == pytest.approx(1)
    expected = np.exp([1.0, 3.0, 4.0]) / np.exp([1.0, 3.0, 4.0]).sum()
    np.testing.assert_allclose(weight[index == 0].numpy(), expected, rtol=1e-3 if shift else 1e-6)
