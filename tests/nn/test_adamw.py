"""The optimiser with kept lists: bit for bit torch's, also where gradients come and go, and when resumed."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from gdsfd.nn.adamw import AdamW


def parameters() -> list[nn.Parameter]:
    generator = torch.Generator().manual_seed(0)
    return [nn.Parameter(torch.randn(size, generator=generator)) for size in ((5, 3), (3,), (70_000,), ())]


def groups(own: list[nn.Parameter]) -> list[dict[str, object]]:
    return [{"params": own[:2], "weight_decay": 0.1}, {"params": own[2:], "weight_decay": 0.0}]


def gradients(step: int, own: list[nn.Parameter]) -> list[Tensor | None]:
    generator = torch.Generator().manual_seed(step)
    found: list[Tensor | None] = [torch.randn(each.shape, generator=generator) for each in own]
    if step in (3, 4, 5):
        found[1] = None  # has made fewer steps than the others of its group from here on
    if step == 7:
        found[2] = found[3] = None  # a group without any
    return found


def run(optimizer: torch.optim.Optimizer, own: list[nn.Parameter], steps: range) -> None:
    for step in steps:
        for group in optimizer.param_groups:
            group["lr"] = 1e-3 * (1 + step)
        for parameter, gradient in zip(own, gradients(step, own)):
            parameter.grad = gradient
        optimizer.step()


def test_as_torch() -> None:
    mine, theirs = parameters(), parameters()
    ours, expected = AdamW(groups(mine)), torch.optim.AdamW(groups(theirs), fused=True)
    for steps in (range(6), range(6, 12)):
        run(ours, mine, steps)
        run(expected, theirs, steps)
        for one, other in zip(mine, theirs):
            assert torch.equal(one, other)
        states = ours.state_dict()["state"], expected.state_dict()["state"]
        assert states[0].keys() == states[1].keys()
        for number, state in states[0].items():
            for name, value in state.items():
                assert torch.equal(value, states[1][number][name]), (number, name)


def test_resumed() -> None:
    whole, parts = parameters(), parameters()
    run(AdamW(groups(whole)), whole, range(6))
    first = AdamW(groups(parts))
    run(first, parts, range(4))
    stored = copy.deepcopy(first.state_dict())
    run(first, parts, range(4, 5))  # what is stored is not what goes on
    again = parameters()
    run(AdamW(groups(again)), again, range(4))
    second = AdamW(groups(again))
    second.load_state_dict(stored)
    run(second, again, range(4, 6))
    for one, other in zip(whole, again):
        assert torch.equal(one, other)
