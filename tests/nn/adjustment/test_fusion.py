"""Heads on pairs of a code and a centre."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from gdsfd.errors import InputError
from gdsfd.nn.adjustment.adjustment import adjusted_logits
from gdsfd.nn.adjustment.fusion import Add, Concat, CrossAttention, Film, Gate, build_fusion, known_fusions

NAMES = known_fusions()


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture
def code() -> Tensor:
    return torch.randn(6, 4, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def centers() -> Tensor:
    return torch.randn(3, 4, generator=torch.Generator().manual_seed(2))


def one_by_one(name: str, fusion: torch.nn.Module, z: Tensor, c: Tensor) -> Tensor:
    """The formulas of the docstrings for one patient and one centre."""
    if name == "add":
        assert isinstance(fusion, Add)
        return fusion.out(z) + fusion.of_center(c)
    if name == "concat":
        assert isinstance(fusion, Concat)
        both = torch.cat([fusion.of_code.weight, fusion.of_center.weight], 1)
        return fusion.out(torch.relu(both @ torch.cat([z, c]) + fusion.of_code.bias))
    if name == "film":
        assert isinstance(fusion, Film)
        scale, shift = fusion.of_center(c).chunk(2)
        return fusion.out(torch.relu((1 + scale) * fusion.of_code(z) + shift))
    if name == "gate":
        assert isinstance(fusion, Gate)
        (value, asked), (other, offered) = fusion.of_code(z).chunk(2), fusion.of_center(c).chunk(2)
        gate = torch.sigmoid(asked + offered)
        return fusion.out(gate * value + (1 - gate) * other)
    assert isinstance(fusion, CrossAttention)
    key, value = fusion.key_value(c).chunk(2)
    weight = torch.sigmoid(fusion.query(z) @ key / fusion.hidden**0.5 + fusion.rest)
    return fusion.out(torch.relu(fusion.of_code(z) + weight * value))


@pytest.mark.parametrize("name", NAMES)
def test_pairs_equal_the_formula_one_by_one(name: str, code: Tensor, centers: Tensor) -> None:
    fusion = build_fusion(name, 4, 2, hidden=5)
    expected = torch.stack([torch.stack([one_by_one(name, fusion, z, c) for c in centers]) for z in code])
    torch.testing.assert_close(fusion(code, centers), expected)


@pytest.mark.parametrize("name", NAMES)
def test_centers_of_each_patient_and_own(name: str, code: Tensor, centers: Tensor) -> None:
    fusion = build_fusion(name, 4, 2)
    every = fusion(code, centers)
    torch.testing.assert_close(fusion(code, centers.expand(6, 3, 4)), every)
    stratum = torch.tensor([0, 2, 1, 1, 0, 2])
    torch.testing.assert_close(fusion.own(code, centers[stratum]), every[torch.arange(6), stratum])


@pytest.mark.parametrize("name", NAMES)
def test_one_patient_alone_is_predicted_as_in_the_batch(name: str, code: Tensor, centers: Tensor) -> None:
    fusion = build_fusion(name, 4, 1).eval()
    batch = fusion(code, centers)
    for i in range(6):
        torch.testing.assert_close(fusion(code[i : i + 1], centers), batch[i : i + 1])


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_and_the_code_get_a_gradient(name: str, code: Tensor, centers: Tensor) -> None:
    fusion = build_fusion(name, 4, 2)
    code.requires_grad_()
    fusion(code, centers).square().sum().backward()
    for key, value in [("code", code), *fusion.named_parameters()]:
        assert value.grad is not None, key
        assert value.grad.abs().sum() > 0, key


@pytest.mark.parametrize("name", NAMES)
def test_width_of_centers_and_bias(name: str, code: Tensor) -> None:
    fusion = build_fusion(name, 4, 2, center_channels=7)
    fusion.start_from(torch.tensor([1.0, -2.0]))
    torch.testing.assert_close(fusion.last_bias.detach(), torch.tensor([1.0, -2.0]))
    assert fusion(code, torch.zeros(5, 7)).shape == (6, 5, 2)
    assert fusion(code[:0], torch.zeros(5, 7)).shape == (0, 5, 2)


def test_the_code_asks_each_centre_by_itself(code: Tensor, centers: Tensor) -> None:
    fusion = CrossAttention(4, 1)
    key, value = fusion.key_value(centers).chunk(2, -1)
    weight = torch.sigmoid(fusion.query(code) @ key.t() / fusion.hidden**0.5)
    expected = fusion.out(torch.relu(fusion.of_code(code)[:, None] + weight[..., None] * value))
    torch.testing.assert_close(fusion(code, centers), expected)
    torch.testing.assert_close(fusion(code, centers[1:]), expected[:, 1:])


def test_dropout_leaves_centers_whole(code: Tensor, centers: Tensor) -> None:
    fusion = build_fusion("add", 4, 1, dropout=0.5)
    torch.manual_seed(0)
    moved = fusion(code, centers)
    # One mask per patient and the same under every centre: strata are compared under the same network.
    torch.testing.assert_close(
        moved - moved[:, :1], (fusion.of_center(centers) - fusion.of_center(centers[:1])).expand(6, 3, 1)
    )
    assert not torch.allclose(moved, fusion.eval()(code, centers))


def test_trap_adding_cannot_change_the_order_of_patients() -> None:
    torch.manual_seed(0)
    code, centers, mass = torch.randn(50, 4), 3 * torch.randn(7, 4), torch.softmax(torch.randn(7), 0)
    orders = {}
    for name in ("add", "concat"):
        fusion = build_fusion(name, 4, 1)
        before = fusion.own(code, centers[:1].expand(50, 4)).squeeze(1)
        after = adjusted_logits(fusion(code, centers), mass, False).squeeze(1)
        orders[name] = before.argsort(), after.argsort()
    assert torch.equal(*orders["add"])
    assert not torch.equal(*orders["concat"])


def test_unknown_name() -> None:
    with pytest.raises(InputError, match=r"unknown fusion 'conca'\. Did you mean 'concat'"):
        build_fusion("conca", 4, 1)
