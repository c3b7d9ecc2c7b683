"""The fused node update against its formula."""

from __future__ import annotations

import pytest
import torch
from ops.problems import max_error

from gdsfd.errors import InputError
from gdsfd.ops import node_update


@pytest.mark.parametrize("rows", [0, 1, 3, 5000])
@pytest.mark.parametrize("common", [False, True])
@pytest.mark.parametrize("width", [1, 4])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_value_and_gradients(rows: int, common: bool, width: int, dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(0)
    sizes = [(rows, 4), (1 if common else rows, 4), (5, 4), (5, 4), (5,), (rows, width)]
    leaves = [torch.randn(*size, dtype=dtype, generator=generator).requires_grad_() for size in sizes]
    leaves[-1] = (leaves[-1].detach().abs() + 0.1).requires_grad_()
    total, node, message_weight, node_weight, bias, norm = leaves
    weight = torch.randn(rows, 5, dtype=dtype, generator=generator)

    out = node_update(total, norm, node, message_weight, node_weight, bias)
    plain = torch.relu(total / norm @ message_weight.t() + node @ node_weight.t() + bias)
    tolerance = 1e-10 if dtype == torch.float64 else 1e-5
    assert max_error(out, plain) < tolerance
    with torch.no_grad():
        assert torch.equal(node_update(total, norm, node, message_weight, node_weight, bias), out)
    got = torch.autograd.grad((out * weight).sum(), leaves)
    for one, other in zip(got, torch.autograd.grad((plain * weight).sum(), leaves)):
        assert max_error(one, other) < tolerance


def test_a_norm_of_zero_is_a_mean_of_zero() -> None:
    total = torch.tensor([[6.0], [0.0]], requires_grad=True)
    norm = torch.tensor([[2.0], [0.0]], requires_grad=True)
    one = torch.ones(1, 1)
    out = node_update(total, norm, torch.zeros(1, 1), one, one, torch.ones(1))
    assert out.tolist() == [[4.0], [1.0]]
    out.sum().backward()
    assert total.grad.tolist() == [[0.5], [0.0]]
    assert norm.grad.tolist() == [[-1.5], [0.0]]


def test_a_tiny_norm_has_a_finite_gradient() -> None:
    """Its square is 0 in float32. The mean is 3 and falls by 3 per share of the norm."""
    norm = torch.tensor([[1e-25]], requires_grad=True)
    one = torch.ones(1, 1)
    node_update(torch.tensor([[3e-25]]), norm, torch.zeros(1, 1), one, one, torch.ones(1)).sum().backward()
    assert norm.grad is not None
    assert float(norm.grad) * 1e-25 == pytest.approx(-3.0, rel=1e-5)


def test_wrong_shapes_are_named() -> None:
    one = torch.ones(1, 1)
    with pytest.raises(InputError, match=r"node \[3, 1\], norm \[2, 1\]; expected node \[2, 1\]"):
        node_update(torch.zeros(2, 1), torch.ones(2, 1), torch.zeros(3, 1), one, one, torch.ones(1))
