"""The hidden layer on all pairs against its plain form, in value and gradient."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from gdsfd.nn.adjustment.pair_layer import pair_layer


def parts(patients: int, strata: int, outputs: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = [(patients, 5), (strata, 5), (outputs, 5), (outputs,)]
    return [torch.randn(s, generator=generator, dtype=torch.float64).requires_grad_() for s in shapes]


def plain(a: Tensor, e: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return F.linear(torch.relu(a[:, None] + e[None]), weight, bias)


@pytest.mark.parametrize(("patients", "strata", "outputs"), [(4, 3, 1), (6, 2, 3), (1, 1, 1), (0, 3, 2)])
def test_equals_its_plain_form(patients: int, strata: int, outputs: int) -> None:
    given = parts(patients, strata, outputs)
    above = torch.randn(patients, strata, outputs, dtype=torch.float64)
    results = []
    for layer in (pair_layer, plain):
        value = layer(*given)
        results.append((value, *torch.autograd.grad((value * above).sum(), given)))
    for got, expected in zip(*results):
        torch.testing.assert_close(got, expected)


def test_gradient_at_a_unit_that_is_exactly_off() -> None:
    a, e = torch.zeros(1, 1, requires_grad=True), torch.zeros(1, 1)
    pair_layer(a, e, torch.ones(1, 1), torch.zeros(1)).sum().backward()
    assert a.grad is not None
    assert a.grad.item() == 0  # as relu has it


def test_centers_of_each_patient() -> None:
    a, e, weight, bias = parts(4, 3, 2)
    own = e.expand(4, 3, 5)
    torch.testing.assert_close(pair_layer(a, own, weight, bias), pair_layer(a, e, weight, bias))


def test_autocast_takes_the_plain_way() -> None:
    given = [part.detach().float() for part in parts(4, 3, 1)]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        low = pair_layer(*given)
    assert low.dtype == torch.bfloat16
    torch.testing.assert_close(low.float(), plain(*given), atol=0.1, rtol=0.1)
