"""The network added to a token, against its formula, and which random numbers it draws."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from gdsfd.nn.encoders.feature_token import ResidualToken
from gdsfd.ops import dropout


@pytest.mark.parametrize("rows", [0, 1, 7])
@pytest.mark.parametrize("probability", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("training", [False, True])
def test_residual_token(rows: int, probability: float, training: bool) -> None:
    generator = torch.Generator().manual_seed(4)
    layer = ResidualToken(6, probability).double().train(training)
    with torch.no_grad():
        layer.outer.weight.normal_(generator=generator)
    token = torch.randn(rows, 6, dtype=torch.double, generator=generator)
    with torch.random.fork_rng():
        torch.manual_seed(6)
        found = layer(token)
        torch.manual_seed(6)
        token = dropout(token, probability, training)
        hidden = dropout(F.gelu(layer.inner(token)), probability, training)
    torch.testing.assert_close(found, token + layer.outer(hidden))


def test_the_network_starts_at_nothing() -> None:
    token = torch.randn(3, 6)
    assert torch.equal(ResidualToken(6, 0.5).eval()(token), token)
