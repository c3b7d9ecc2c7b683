"""Codes whose shared information is known, and critics trained on them."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from gdsfd.nn.dependence import Dependence, build_dependence, critic_step

Codes = tuple[Tensor, Tensor, Tensor | None]


def gaussian_codes(n: int, d: int, rho: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Standard Gaussians [n, d] whose matching channels correlate by rho and no others."""
    causal = torch.randn(n, d, generator=generator)
    return causal, rho * causal + math.sqrt(1 - rho**2) * torch.randn(n, d, generator=generator)


def true_information(d: int, rho: float) -> float:
    """Mutual information of :func:`gaussian_codes`, nats."""
    return -d / 2 * math.log(1 - rho**2)


def build(name: str, d_c: int, d_b: int, seed: int = 0, **options: object) -> Dependence:
    """An estimator whose first weights do not depend on the global state."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return build_dependence(name, d_c, d_b, **options)


def trained(name: str, draw: Callable[[int], Codes], widths: tuple[int, int], steps: int = 200, seed: int = 0):
    """An estimator after critic steps on batches of 256 fresh rows, in evaluation mode; no step without a critic."""
    dependence = build(name, *widths, seed=seed)
    if dependence.has_critic:
        optimizer = torch.optim.Adam(dependence.critic_parameters(), lr=5e-3, fused=True)
        schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, steps)
        for _ in range(steps):
            critic_step(dependence, optimizer, *draw(256))
            schedule.step()
    return dependence.eval()


def mean_estimate(dependence: Dependence, draw: Callable[[int], Codes], batches: int = 16) -> float:
    """The estimate on fresh rows, averaged over batches of 512."""
    with torch.no_grad():
        return sum(float(dependence(*draw(512))) for _ in range(batches)) / batches


def mean_of_measure(name: str, d: int, rho: float, rows: int = 1000, batches: int = 4, **options: object) -> float:
    """Value of a measure on correlated Gaussians, averaged over batches."""
    generator = torch.Generator().manual_seed(0)
    measure = build(name, d, d, **options)
    return sum(float(measure(*gaussian_codes(rows, d, rho, generator))) for _ in range(batches)) / batches
