"""Which backend ``auto`` takes.

Every message of a model goes through :func:`gdsfd.ops.aggregate`, every new edge value through
:func:`gdsfd.ops.edge_update`, so this table says what models run on. The rules come from
``benchmarks/choose_backend.py`` (its lines: ``benchmarks/results/choose_backend.jsonl``), forward with backward on a
CPU:

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

__all__ = ["FEW_EDGES", "choose", "choose_edge_update"]

#: One chunk of segment's; up to there its bookkeeping costs more than it saves.
FEW_EDGES = 4096
# Numbers of an edge tensor (32 MiB of float32): beyond, the grid's temporaries leave the cache and segment is as fast.
_DENSE_NUMBERS = 1 << 23


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
    return "reference" if graph.num_edges <= FEW_EDGES else "segment"


def choose_edge_update(edge: Tensor) -> str:
    """The backend for an edge update of edge terms [E, C]."""
    if edge.device.type != "cpu":
        return "triton" if "triton" in available() else "reference"
    return "reference" if edge.size(0) <= FEW_EDGES else "segment"
