"""The critics' network: the formula, classes told apart, and those beyond the last."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from gdsfd.nn.dependence.code_network import CodeNetwork


def network() -> CodeNetwork:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = CodeNetwork(3, 2, hidden=4)
        torch.nn.init.normal_(made.offset.weight)
    return made


CODE = torch.randn(5, 3, generator=torch.Generator().manual_seed(1))


def test_it_is_the_formula():
    made = network()
    made.scale.update(10 * CODE + 4)
    z = (CODE - made.scale.mean) / made.scale.variance.sqrt()
    for label, offset in ((None, 0.0), (2, made.offset.weight[2])):
        hidden = F.gelu(F.linear(z, made.first.weight, made.first.bias) + offset)
        hidden = F.gelu(F.linear(hidden, made.rest[1].weight, made.rest[1].bias))
        expected = F.linear(hidden, made.rest[3].weight, made.rest[3].bias) + F.linear(
            z, made.direct.weight, made.direct.bias
        )
        torch.testing.assert_close(made(CODE, label), expected)


def test_classes_start_alike_and_those_beyond_share_the_last():
    fresh = CodeNetwork(3, 2, hidden=4)
    torch.testing.assert_close(fresh(CODE, 7), fresh(CODE, None))
    made = network()
    assert not torch.allclose(made(CODE, 14), made(CODE, 15))
    torch.testing.assert_close(made(CODE, 15), made(CODE, 400))
