"""Fused kernels for GPUs: gather, add, activate, weigh and reduce in one pass over the edges.

A message is never written to memory. The backward pass calculates it anew from the node and edge terms; kept between
the two are the inputs, a normaliser per destination and, for a maximum, the number of the edge taken.

=========== ========================================================================================================
to patients a program takes a block of patients and walks their edges, one after the other, along ``Bipartite.by_left``
to hubs     a hub's edges are one slice, cut into chunks; a program per chunk, then a second kernel adds up the chunks
backward    the same two ways, by the side of the *source*; each edge's own gradient is stored in passing
=========== ========================================================================================================

There are no atomics, and the order of all additions follows from the graph alone, so results repeat bit for bit.
Sums are in float32, or in float64 for float64 inputs; no ``tl.dot``, so nothing depends on how TF32 is set.

Verified so far:

- values and gradients, in Triton's interpreter on a CPU: float64, float32, bfloat16, float16
  (``tests/ops/backends/triton``, Triton 3.7 and 3.9);
- every kernel compiles to machine code for compute capability 9.0, some for 8.0, without atomics, without 32-bit row
  offsets and, at 128 channels in float32, without spilling registers; compiling needs no GPU
  (``tests/ops/backends/test_triton_compile.py``);
- on a GPU: nothing. No kernel has run on one yet, and there is no GPU figure. Tile shapes and warps are by reckoning,
  not tuned.
"""

from __future__ import annotations

import torch
import triton
from torch import Tensor

from gdsfd.ops.backends.composition import Activation, Reduce, softmax_weight
from gdsfd.ops.backends.triton.aggregate import reduce_edges
from gdsfd.ops.backends.triton.edge_update import update
from gdsfd.ops.backends.triton.reduction_kernels import add_up
from gdsfd.ops.backends.triton.reductions import largest
from gdsfd.ops.backends.triton.tiles import check_tensor
from gdsfd.ops.bipartite import Bipartite, Side

__all__ = ["aggregate", "edge_update", "usable"]

# Whether TRITON_INTERPRET was set when the kernels were made; setting it later changes nothing.
_INTERPRETED = not isinstance(add_up, triton.JITFunction)


def usable() -> bool:
    """With a CUDA device, or in the interpreter (``TRITON_INTERPRET=1`` before Triton's first import)."""
    return _INTERPRETED or torch.cuda.is_available()


def aggregate(
    node: Tensor,
    edge: Tensor | None,
    graph: Bipartite,
    toward: Side,
    reduce: Reduce,
    activation: Activation,
    mask: Tensor | None,
    score: Tensor | None,
) -> Tensor:
    """See :func:`gdsfd.ops.aggregate`.

    Raises:
        InputError: Integers, or tensors that are not on a GPU.
    """
    check_tensor("aggregate", node, _INTERPRETED)
    mask = mask.unsqueeze(1) if mask is not None and mask.dim() == 1 else mask
    if score is not None:
        # The numerators enter as the weights of a mean: normalisation is in the kernels.
        mask, reduce = softmax_weight(score, mask, graph, toward, peaks), "mean"
    return reduce_edges(node, edge, mask, graph, toward, reduce, activation)


def peaks(values: Tensor, graph: Bipartite, toward: Side) -> Tensor:
    """Largest value of each destination's edges, 0 without any; values [E, W]."""
    return largest(None, values.contiguous(), None, graph, toward, relu=False)[0]


def edge_update(
    left: Tensor, right: Tensor, edge: Tensor, residual: Tensor | None, graph: Bipartite, activation: Activation
) -> Tensor:
    """See :func:`gdsfd.ops.edge_update`.

    Raises:
        InputError: Integers, or tensors that are not on a GPU.
    """
    check_tensor("edge_update", edge, _INTERPRETED)
    return update(left, right, edge, residual, graph, activation == "relu")
