"""torch-scatter's kernels, where they are installed and right.

Only sums are asked of it, so its own rules for empty groups, ties and infinities do not matter.
"""

from __future__ import annotations

import importlib
from functools import partial
from typing import Any

import torch
from torch import Tensor

from gdsfd.ops.backends.composition import Gathered, compose
from gdsfd.ops.backends.reference import edge_update
from gdsfd.ops.bipartite import Bipartite, Side

__all__ = ["aggregate", "edge_update", "usable"]


def usable() -> bool:
    """Whether it is installed, loads with this torch and gives right sums and gradients."""
    try:
        kernels = importlib.import_module("torch_scatter")
        values = torch.arange(6.0).view(3, 2).requires_grad_()
        by_pointer = kernels.segment_csr(values, torch.tensor([0, 2, 2, 3]), reduce="sum")
        by_number = kernels.scatter_sum(values, torch.tensor([2, 0, 2]), dim=0, dim_size=4)
        (gradient,) = torch.autograd.grad((by_pointer * by_number[:3]).sum(), values)
        return (
            by_pointer.tolist() == [[2, 4], [0, 0], [4, 5]]
            and by_number.tolist() == [[2, 3], [0, 0], [4, 6], [0, 0]]
            and gradient.tolist() == [[6, 8], [4, 7], [8, 11]]
        )
    except Exception:  # an extension for another torch may fail in any way, at import or when called
        return False


class _Scatter(Gathered):
    def __init__(self) -> None:
        self.kernels: Any = None  # loaded when first used

    def total(self, values: Tensor, graph: Bipartite, toward: Side) -> Tensor:
        if self.kernels is None:
            self.kernels = importlib.import_module("torch_scatter")
        total: Tensor
        if toward == "right":
            total = self.kernels.segment_csr(values.contiguous(), graph.right_ptr, reduce="sum")
        else:
            total = self.kernels.scatter_sum(values, graph.left, dim=0, dim_size=graph.num_left)
        return total


_SCATTER = _Scatter()


#: See :func:`gdsfd.ops.aggregate`.
aggregate = partial(compose, _SCATTER)
