"""One step of training beside the same by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from torch import nn

from gdsfd.nn.losses import Targets
from gdsfd.training.average import RunningAverage
from gdsfd.training.critics import Critics
from gdsfd.training.step import Step

ROWS, WIDTH = 6, 3


class Objective(nn.Module):
    """The mean square of what the model says, and which stage it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.stages: list[int] = []
        self.critic_rate = 1e-3

    def forward(self, predictions: Any, targets: Targets, stage: int) -> torch.Tensor:
        self.stages.append(stage)
        return ((predictions - targets.y) ** 2).mean()

    def critic_parameters(self) -> list[nn.Parameter]:
        return []


class Hooks:
    """Of backbones without any."""

    replace_loss = read_truth = on_gradients = False
    num_members = 4


def made(clip_norm: float, decay: float = 0.0) -> tuple[Step, nn.Module, Objective, RunningAverage]:
    torch.manual_seed(0)
    network, objective = nn.Linear(WIDTH, 1), Objective()
    fabric = Fabric(accelerator="cpu", devices=1)
    optimizer: torch.optim.Optimizer = torch.optim.SGD(network.parameters(), lr=99.0)
    average = RunningAverage(network, decay)
    model, optimizer = fabric.setup(network, optimizer)
    critics = Critics(objective)  # type: ignore[arg-type]
    parts: list[Any] = [fabric, model, optimizer, objective, critics, average, Hooks(), 2, clip_norm]
    return Step(*parts), network, objective, average


def data() -> tuple[Any, Targets]:
    generator = torch.Generator().manual_seed(1)
    batch = torch.randn(ROWS, WIDTH, generator=generator)
    return batch, Targets(10 * torch.randn(ROWS, 1, generator=generator), torch.arange(ROWS))


@pytest.mark.parametrize("clip_norm", [0.0, 1e-3, 1e6])
def test_a_step_goes_down_the_gradient_which_is_clipped_by_all_members(clip_norm: float) -> None:
    step, network, objective, _ = made(clip_norm)
    batch, targets = data()
    before = [each.detach().clone() for each in network.parameters()]
    loss = ((network(batch) - targets.y) ** 2).mean()
    gradient = torch.autograd.grad(loss, list(network.parameters()))
    norm = torch.cat([each.flatten() for each in gradient]).norm()
    most = clip_norm * 2  # the square root of four members
    share = min(1.0, most / float(norm)) if clip_norm else 1.0
    found = step(batch, targets, 0.1)
    assert found.item() == pytest.approx(loss.item())
    assert not found.requires_grad
    assert objective.stages == [2]
    for old, slope, new in zip(before, gradient, network.parameters()):
        torch.testing.assert_close(new.detach(), old - 0.1 * share * slope, rtol=1e-4, atol=1e-6)


def test_the_average_follows_a_step_but_not_its_body() -> None:
    step, _, _, average = made(0.0, decay=0.5)
    step.set_rate(0.1)
    start = average.average["weight"].clone()
    step.body(*data())
    assert torch.equal(average.average["weight"], start)
    step(*data(), 0.1)
    assert not torch.equal(average.average["weight"], start)


def test_a_gradient_that_is_no_number_is_an_error_on_the_cpu() -> None:
    step, _, _, _ = made(1.0)
    batch, targets = data()
    with pytest.raises(RuntimeError, match="non-finite"):
        step(batch * float("nan"), targets, 0.1)
