"""The training patients that backbones fit their memory on."""

from __future__ import annotations

import torch
from torch import Tensor

from gdsfd.training.config import TrainConfig

__all__ = ["memory_rows"]


def memory_rows(rows: Tensor, config: TrainConfig) -> Tensor:
    """All of them, int64 [n], or a fixed draw of ``config.state_rows`` where there are more."""
    if rows.numel() <= config.state_rows:
        return rows
    chosen = torch.randperm(rows.numel(), generator=torch.Generator().manual_seed(0))[: config.state_rows]
    return rows[chosen.sort().values]
