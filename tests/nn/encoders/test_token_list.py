"""Tokens of all modalities in one list: as the encoders give them one by one, in value and gradient."""

from __future__ import annotations

import pytest
import torch

from gdsfd.cohort.schema import ModalityFields
from gdsfd.nn.encoders import Encoder, build_encoder
from gdsfd.nn.encoders.token_list import token_list
from gdsfd.ops.choose import FEW_EDGES


def some_encoders(dropout: float) -> list[Encoder]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        encoders = [
            build_encoder(ModalityFields(f"m{width}", "embedding", width=width), 6, dropout) for width in (3, 5)
        ]
        for encoder in encoders:
            for weight in encoder.parameters():
                torch.nn.init.normal_(weight)
    return [encoder.double() for encoder in encoders]


def some_observations(*rows: int) -> list[dict[str, torch.Tensor]]:
    generator = torch.Generator().manual_seed(1)
    widths = (3, 5)
    return [
        {"vector": torch.randn(number, width, dtype=torch.double, generator=generator)}
        for number, width in zip(rows, widths)
    ]


def test_value_and_gradient() -> None:
    encoders, seen = some_encoders(0.0), some_observations(4, 7)
    found, expected = token_list(encoders, seen), torch.cat([each(one) for each, one in zip(encoders, seen)])
    assert found is not None
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
    weights = [weight for encoder in encoders for weight in encoder.parameters()]
    above = torch.randn_like(expected)
    for mine, other in zip(*(torch.autograd.grad(each, weights, above) for each in (found, expected))):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-11)


def test_gradient_with_dropout() -> None:
    encoders, seen = some_encoders(0.4), some_observations(4, 7)
    weights = tuple(weight for encoder in encoders for weight in encoder.parameters())

    def tokens(*_: torch.Tensor) -> torch.Tensor:
        with torch.random.fork_rng():
            torch.manual_seed(3)
            found = token_list(encoders, seen)
        assert found is not None
        return found

    assert not torch.equal(tokens(), torch.cat([each.eval()(one) for each, one in zip(encoders, seen)]))
    torch.autograd.gradcheck(tokens, weights)


@pytest.mark.parametrize("why", ["many", "half", "gradient of inputs", "dropout differs"])
def test_where_it_is_not_the_way(why: str) -> None:
    encoders, seen = some_encoders(0.25), some_observations(FEW_EDGES if why == "many" else 2, 3)
    if why == "half":
        encoders = [encoder.bfloat16() for encoder in encoders]
    if why == "gradient of inputs":
        seen[1]["vector"].requires_grad_()
    if why == "dropout differs":
        encoders[1] = some_encoders(0.5)[1]
    assert token_list(encoders, seen) is None
