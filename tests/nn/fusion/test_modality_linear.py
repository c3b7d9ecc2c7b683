"""One linear map per modality against torch's, modality by modality."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from gdsfd.nn.fusion import ModalityLinear


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(7, 3, 4), (7, 3, 2, 4), (7, 3, 2, 5, 4), (0, 3, 4)])
def test_it_is_a_linear_map_per_modality(shape: tuple[int, ...], bias: bool) -> None:
    made, values = ModalityLinear(3, 4, 6, bias), torch.randn(shape)
    found = made(values)
    assert found.shape == (*shape[:-1], 6)
    for k in range(3):
        torch.testing.assert_close(found[:, k], F.linear(values[:, k], made.weight[k], made.bias[k] if bias else None))


def test_with_modalities_first_it_is_the_same_map() -> None:
    made, values = ModalityLinear(3, 4, 6), torch.randn(7, 3, 2, 4)
    expected = made(values)
    made.first = True
    torch.testing.assert_close(made(values.transpose(0, 1)).transpose(0, 1), expected)


def test_its_weights_start_as_those_of_torch() -> None:
    made, like = ModalityLinear(50, 16, 30), nn.Linear(16, 1500)
    for mine, theirs in ((made.weight, like.weight), (made.bias, like.bias)):
        torch.testing.assert_close(mine.std(), theirs.std(), rtol=0.1, atol=0)
        assert mine.abs().max() <= 0.25
    assert str(made) == "ModalityLinear(50 x 16 -> 30, bias=True)"
