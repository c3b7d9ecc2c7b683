"""Which backend ``auto`` takes.

An operation with a matrix product inside (:func:`gdsfd.ops.edge_messages`, :func:`gdsfd.ops.linear_edge_update`: all that the
layers of ``muse`` and ``grape`` do along edges) goes as a whole to one backend:

=========================================== ============= =========================================================
where                                       takes         because
=========================================== ============= =========================================================
CPU, float32 or float64                     ``fused_cpu`` both directions use a chunk's product while it is in cache
elsewhere, or under autocast                as below      the product by itself, then one operation per direction
=========================================== ============= =========================================================

A single aggregation or edge update. The rules come from ``benchmarks/choose_backend.py`` (its lines:
``benchmarks/results/choose_backend.jsonl``), forward with backward on a CPU:

=========================================== ============= =========================================================
where                                       takes         because
=========================================== ============= =========================================================
CUDA                                        ``triton``    fused; without Triton ``reference``, which is a few kernels
every pair present, tensor within the cache ``dense``     the edges already are its grid: no index at all
up to a few thousand edges                  ``reference`` the fixed cost of a call decides: 1.4 times as fast
everything else                             ``segment``   stores no message, so it moves the fewest bytes
=========================================== ============= =========================================================

Absent pairs make ``dense`` slower than gathering even at a density of .9: spreading edges over the grid and masking it
costs more. ``torch_scatter`` is never chosen, nor is a backend declared elsewhere: what is installed must not change
results.
"""

from __future__ import annotations

from torch import Tensor

from gdsfd.ops.backends import available
from gdsfd.ops.bipartite import Bipartite
from gdsfd.ops.linear import plain_float

__all__ = ["choose", "choose_edge_update", "choose_layer"]

# One chunk of segment's; up to there its bookkeeping costs more than it saves.
_FEW_EDGES = 4096
# Numbers of an edge tensor (32 MiB of float32): beyond, the grid's temporaries leave the cache and segment is as fast.
_DENSE_NUMBERS = 1 << 23


def choose_layer(*tensors: Tensor | None) -> str:
    """The backend for an operation with a matrix product inside; ``auto``: the operations it is made of choose theirs.

    Args:
        *tensors: All that goes into the product and the messages.
    """
    return "fused_cpu" if plain_float(*tensors) else "auto"


def choose(node: Tensor, graph: Bipartite) -> str:
    """The backend for an aggregation.

    Args:
        node: As in :func:`gdsfd.ops.aggregate`.
        graph: The edges.
    """
    if node.device.type != "cpu":
        return "triton" if node.is_floating_point() and "triton" in available() else "reference"
    if node.is_floating_point() and graph.num_edges * node.size(1) <= _DENSE_NUMBERS and graph.complete:
        return "dense"
    return "reference" if graph.num_edges <= _FEW_EDGES else "segment"


def choose_edge_update(edge: Tensor) -> str:
    """The backend for an edge update of edge terms [E, C]."""
    if edge.device.type != "cpu":
        return "triton" if "triton" in available() else "reference"
    return "reference" if edge.size(0) <= _FEW_EDGES else "segment"
