"""A linear model of two columns, minimised to the end under an objective."""

from __future__ import annotations

import torch
from torch import Tensor

from gdsfd.nn.losses import Targets
from gdsfd.nn.objectives import Objective
from tests.nn.objectives.environments import predicted

__all__ = ["fitted"]


def fitted(objective: Objective, x: Tensor, targets: Targets, stage: int = 2) -> list[float]:
    """Weights of the columns, without an intercept, on the whole cohort as one batch."""
    weights = torch.full((x.size(1), 1), 0.5, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = objective.member_loss(0, predicted(x @ weights), targets, stage)
        loss.backward()
        return loss

    optimizer.step(closure)  # type: ignore[arg-type]
    return weights.detach().squeeze(1).tolist()
