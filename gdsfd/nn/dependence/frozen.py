"""Calling a network so that gradients pass through it but do not reach its weights."""

from __future__ import annotations

from typing import Any

from torch import nn
from torch.func import functional_call

__all__ = ["frozen_call"]


def frozen_call(network: nn.Module, *args: Any) -> Any:
    """Calls a network with its parameters held constant.

    The gradient reaches ``args`` and not the parameters, whatever their ``requires_grad`` says; nothing is switched off
    and on again, so that a graph built before stays as it was.

    Example:
        >>> import torch
        >>> network, x = nn.Linear(2, 1), torch.ones(3, 2, requires_grad=True)
        >>> frozen_call(network, x).sum().backward()
        >>> network.weight.grad is None, x.grad is None
        (True, False)
    """
    return functional_call(network, {name: each.detach() for name, each in network.named_parameters()}, args)
