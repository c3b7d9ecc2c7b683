"""A table of scores of pairs."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture
def scores() -> torch.Tensor:
    return torch.randn(6, 6, generator=torch.Generator().manual_seed(0))
