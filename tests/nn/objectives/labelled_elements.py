"""Losses over labelled elements as loops, and targets of a few patients."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gdsfd.nn.losses import Targets

NAN = float("nan")
PATIENTS = 7
SUSPECTS = (3, 2)  #: codes of two declared suspects


def labels(outcomes: str) -> Tensor:
    if outcomes == "multiclass":
        return torch.tensor([0, 2, 1, -1, 0, 1, 2])
    one = [[1.0], [0.0], [NAN], [1.0], [0.0], [0.0], [1.0]]
    other = [[0.0], [NAN], [NAN], [1.0], [1.0], [0.0], [0.0]]
    return torch.tensor(one) if outcomes == "binary" else torch.cat([torch.tensor(one), torch.tensor(other)], dim=1)


def chances(logits: Tensor, y: Tensor) -> list[tuple[tuple[int, ...], float]]:
    """Probability of the given label of every labelled element, with its place in ``y``."""
    found = []
    for row in range(len(y)):
        if y.dim() == 1:
            if y[row] >= 0:
                powers = [math.exp(value) for value in logits[row].tolist()]
                found.append(((row,), powers[int(y[row])] / sum(powers)))
            continue
        for column in range(y.size(1)):
            if not math.isnan(float(y[row, column])):
                positive = 1 / (1 + math.exp(-float(logits[row, column])))
                found.append(((row, column), positive if y[row, column] == 1 else 1 - positive))
    return found


def cross_entropy(logits: Tensor, y: Tensor, weight: Tensor | None = None) -> float:
    parts = [-math.log(p) * (1.0 if weight is None else float(weight[at])) for at, p in chances(logits, y)]
    return sum(parts) / len(parts)


def generalized(logits: Tensor, y: Tensor, q: float) -> float:
    parts = [(1 - p**q) / q for _, p in chances(logits, y)]
    return sum(parts) / len(parts)


def some_targets(outcomes: str) -> Targets:
    y = labels(outcomes)
    generator = torch.Generator().manual_seed(3)
    outputs = 3 if outcomes == "multiclass" else y.size(1)
    return Targets(
        y,
        torch.arange(PATIENTS),
        weight=torch.rand(y.shape, generator=generator) + 0.5,
        margin=torch.randn(PATIENTS, outputs, generator=generator),
        suspects=torch.stack([torch.tensor([0, 1, 2, -1, 1, 0, 2]), torch.tensor([1, 0, 1, 1, -1, 0, 0])], dim=1),
    )
