"""The mixture against expert by expert, and the loads against draws of the noise."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from gdsfd.nn.fusion.experts import Experts, variation


def made(experts: int = 4, top: int = 2) -> Experts:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Experts(6, experts, top, expansion=2)


def by_itself(mixture: Experts, number: int, row: torch.Tensor) -> torch.Tensor:
    """One expert's output, with its own slices of the weights."""
    hidden = slice(12 * number, 12 * (number + 1))
    inner = F.gelu(mixture.up.weight[hidden] @ row + mixture.up.bias[hidden])
    return mixture.down.weight[:, hidden] @ inner + mixture.bias[number]


@pytest.mark.parametrize("top", [1, 2, 4])
def test_it_is_the_sparse_sum_over_the_best_experts(top: int) -> None:
    mixture, rows = made(top=top).eval(), torch.randn(2, 5, 6, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        mixture.bias.normal_(generator=torch.Generator().manual_seed(2))
    found, routing = mixture(rows)
    torch.testing.assert_close(routing.gates.sum(-1), torch.ones(2, 5))
    for patient in range(2):
        for place in range(5):
            row = rows[patient, place]
            scores = mixture.gate.weight @ row
            best = scores.topk(top).indices.tolist()
            shares = scores[best].softmax(0)
            expected = sum(share * by_itself(mixture, each, row) for share, each in zip(shares, best))
            torch.testing.assert_close(found[patient, place], expected, atol=1e-5, rtol=1e-4)
            assert sorted(routing.gates[patient, place].nonzero().flatten().tolist()) == sorted(best)


def test_equal_experts_are_one_network() -> None:
    mixture, row = made().eval(), torch.randn(3, 6)
    with torch.no_grad():
        mixture.up.weight.copy_(mixture.up.weight[:12].repeat(4, 1))
        mixture.up.bias.copy_(mixture.up.bias[:12].repeat(4))
        mixture.down.weight.copy_(mixture.down.weight[:, :12].repeat(1, 4))
    expected = torch.stack([by_itself(mixture, 0, each) for each in row])
    torch.testing.assert_close(mixture(row)[0], expected)


def test_the_probability_of_being_taken_is_that_of_drawing_only_its_noise_again() -> None:
    mixture, row = made().train(), torch.randn(1, 6, generator=torch.Generator().manual_seed(3))
    with torch.random.fork_rng():
        torch.manual_seed(4)
        routing = mixture.route(row)
        spread = F.softplus(mixture.spread(row)) + 1e-2
        drawn = mixture.gate(row) + spread * torch.randn(20_000, 4)
    for expert in range(4):
        others = torch.cat([routing.scores[0, :expert], routing.scores[0, expert + 1 :]])
        share = (drawn[:, expert] > others.topk(2).values[-1]).float().mean()
        assert routing.taken[0, expert].item() == pytest.approx(share.item(), abs=0.015)


def test_variation_is_0_for_even_and_for_no_loads() -> None:
    assert variation(torch.full((4,), 3.0)).item() == 0.0
    assert variation(torch.zeros(4)).item() == 0.0
    load = torch.tensor([1.0, 2.0, 6.0])
    assert variation(load).item() == pytest.approx(float(load.numpy().var() / 9))
