"""How long slices of edges are cut into chunks, so that a hub with a million edges occupies the whole device."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from gdsfd.ops.bipartite import Bipartite

__all__ = ["Chunks", "chunks_of_all", "chunks_of_hubs"]

_HUBS: WeakKeyDictionary[Bipartite, Chunks] = WeakKeyDictionary()
_ALL: WeakKeyDictionary[Bipartite, Chunks] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class Chunks:
    """Consecutive slices of the edge list, cut up.

    Attributes:
        starts: First edge of each chunk; int64 [P].
        stops: Behind its last edge; int64 [P]. Chunks that are left over are empty.
        ptr: The chunks of slice k are ``ptr[k]:ptr[k + 1]``; int64 [slices + 1].
        owners: Number of slices.
    """

    starts: Tensor
    stops: Tensor
    ptr: Tensor
    owners: int

    @property
    def count(self) -> int:
        """Number of chunks P, with those left over."""
        return self.starts.numel()


def chunks_of_hubs(graph: Bipartite) -> Chunks:
    """One slice per right node; kept as long as the graph."""
    if graph not in _HUBS:
        _HUBS[graph] = _cut(graph.right_ptr, graph.num_edges)
    return _HUBS[graph]


def chunks_of_all(graph: Bipartite) -> Chunks:
    """One slice of all edges; kept as long as the graph."""
    if graph not in _ALL:
        _ALL[graph] = _cut(graph.right_ptr.new_tensor([0, graph.num_edges]), graph.num_edges)
    return _ALL[graph]


def chunk_length(edges: int) -> int:
    """Edges per chunk: some 2,000 chunks in all, of 64 to 1,024 edges.

    Depends on nothing but the graph: the order of the additions, hence every bit of a sum, is the same on each device.
    """
    length = 64
    while length < 1024 and length * 2048 < edges:
        length *= 2
    return length


def _cut(ptr: Tensor, edges: int) -> Chunks:
    # The number of chunks is an upper bound, as the true one is known on the device only and asking would wait for it.
    length, owners = chunk_length(edges), ptr.numel() - 1
    per_owner = (ptr[1:] - ptr[:-1] + length - 1) // length
    chunk_ptr = torch.cat([per_owner.new_zeros(1), per_owner.cumsum(0)])
    number = torch.arange(edges // length + owners, device=ptr.device)
    owner = (torch.searchsorted(chunk_ptr, number, right=True) - 1).clamp(max=owners - 1)
    starts = ptr[owner] + (number - chunk_ptr[owner]) * length
    stops = torch.maximum(torch.minimum(starts + length, ptr[owner + 1]), starts)
    return Chunks(starts, stops, chunk_ptr, owners)
