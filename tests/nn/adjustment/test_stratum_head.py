"""The head on pairs of a code and a centre, against its formula for one pair."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from gdsfd.nn.adjustment.stratum_head import StratumHead


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture
def code() -> Tensor:
    return torch.randn(6, 4, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def centers() -> Tensor:
    return torch.randn(3, 4, generator=torch.Generator().manual_seed(2))


def test_pairs_equal_the_formula_one_by_one(code: Tensor, centers: Tensor) -> None:
    head = StratumHead(4, 2, hidden=5)
    both = torch.cat([head.of_code.weight, head.of_center.weight], 1)
    expected = torch.stack(
        [
            torch.stack([head.out(torch.relu(both @ torch.cat([z, c]) + head.of_code.bias)) for c in centers])
            for z in code
        ]
    )
    torch.testing.assert_close(head(code, centers), expected)


def test_centers_of_each_patient_and_own(code: Tensor, centers: Tensor) -> None:
    head = StratumHead(4, 2)
    every = head(code, centers)
    torch.testing.assert_close(head(code, centers.expand(6, 3, 4)), every)
    stratum = torch.tensor([0, 2, 1, 1, 0, 2])
    torch.testing.assert_close(head.own(code, centers[stratum]), every[torch.arange(6), stratum])


def test_one_patient_alone_is_predicted_as_in_the_batch(code: Tensor, centers: Tensor) -> None:
    head = StratumHead(4, 1).eval()
    batch = head(code, centers)
    for i in range(6):
        torch.testing.assert_close(head(code[i : i + 1], centers), batch[i : i + 1])


def test_every_parameter_and_the_code_get_a_gradient(code: Tensor, centers: Tensor) -> None:
    head = StratumHead(4, 2)
    code.requires_grad_()
    head(code, centers).square().sum().backward()
    for key, value in [("code", code), *head.named_parameters()]:
        assert value.grad is not None, key
        assert value.grad.abs().sum() > 0, key


def test_the_bias_and_nobody(code: Tensor, centers: Tensor) -> None:
    head = StratumHead(4, 2)
    head.start_from(torch.tensor([1.0, -2.0]))
    torch.testing.assert_close(head.out.bias.detach(), torch.tensor([1.0, -2.0]))
    assert head(code[:0], centers).shape == (0, 3, 2)


def test_dropout_leaves_centers_whole(code: Tensor, centers: Tensor) -> None:
    """One mask per patient and the same under every centre: strata are compared under the same network."""
    head = StratumHead(4, 1, dropout=0.5)
    torch.manual_seed(0)
    moved = head(code, centers)
    torch.manual_seed(0)
    dropped = head.dropout(code)
    torch.testing.assert_close(moved, head.pairs(dropped, centers))
    assert not torch.allclose(moved, head.eval()(code, centers))
