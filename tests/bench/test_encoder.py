"""This package's encoder and the plain one start from the same weights."""

from __future__ import annotations

import torch

from gdsfd.bench.encoder import make_encoders
from gdsfd.bench.opponents.plain_encoder import PlainEncoder
from gdsfd.bench.problem import Shape, make_problem


def test_every_parameter_has_its_counterpart():
    sparse, plain = make_encoders(Shape(10, 4, channels=8), seed=3)
    assert sum(each.numel() for each in sparse.parameters()) == sum(each.numel() for each in plain.parameters())
    problem = make_problem(Shape(10, 4, channels=8), seed=0)
    before = torch.get_rng_state()
    make_encoders(Shape(10, 4, channels=8), seed=3)
    assert torch.equal(before, torch.get_rng_state())
    out = plain(problem.tokens, PlainEncoder.edge_index(problem.layout), 10)
    for one, other in zip(sparse(problem.tokens, problem.layout), out, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
