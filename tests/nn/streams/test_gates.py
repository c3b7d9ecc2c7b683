"""Gates on a pooled vector: complements that start as the vector itself."""

from __future__ import annotations

import torch
from torch import nn

from gdsfd.nn.streams.gates import PooledGates


def test_both_streams_start_with_all_of_it() -> None:
    gates, pooled = PooledGates(4).eval(), torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    causal, biased, gate = gates(pooled)
    assert (gate == 0.5).all()
    torch.testing.assert_close(causal, gates.causal(pooled))
    torch.testing.assert_close(biased, gates.biased(pooled))


def test_what_one_stream_gets_the_other_lacks() -> None:
    gates, pooled = PooledGates(4).eval(), torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    nn.init.constant_(gates.gate.bias, 50.0)  # all to the causal stream
    gates.gate.weight.data[0] = 0
    gates.gate.bias.data[0] = -50.0  # but the first channel
    causal, biased, gate = gates(pooled)
    assert gate[:, 0].max() < 1e-9
    first = torch.tensor([1.0, 0.0, 0.0, 0.0])
    torch.testing.assert_close(causal, gates.causal(2 * (1 - first) * pooled))
    torch.testing.assert_close(biased, gates.biased(2 * first * pooled))
