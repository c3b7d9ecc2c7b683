"""Chunks of long slices: every edge once, no chunk longer than it may be, the same for the same graph."""

from __future__ import annotations

import pytest
import torch

from gdsfd.ops import Bipartite
from gdsfd.ops.backends.triton.chunks import chunk_length, chunks_of_all, chunks_of_hubs


def test_lengths() -> None:
    assert [chunk_length(edges) for edges in (0, 64 * 2048, 64 * 2048 + 1, 10**9)] == [64, 64, 128, 1024]


@pytest.mark.parametrize("degrees", [[0, 300, 1, 0, 64, 65, 0], [1], [128], [0, 0]])
def test_chunks_of_hubs_are_their_slices(degrees: list[int]) -> None:
    ptr = torch.tensor([0, *degrees]).cumsum(0)
    right = torch.arange(len(degrees)).repeat_interleave(torch.tensor(degrees))
    graph = Bipartite(torch.arange(len(right)), right, ptr, max(len(right), 1), len(degrees))
    chunks = chunks_of_hubs(graph)
    assert chunks_of_hubs(graph) is chunks
    assert chunks.owners == len(degrees)
    for hub, degree in enumerate(degrees):
        own = range(int(chunks.ptr[hub]), int(chunks.ptr[hub + 1]))
        edges = [edge for chunk in own for edge in range(int(chunks.starts[chunk]), int(chunks.stops[chunk]))]
        assert edges == list(range(int(ptr[hub]), int(ptr[hub]) + degree))
        assert len(own) == -(-degree // 64)
    # Their number is an upper bound; those left over have no edge.
    assert chunks.count >= int(chunks.ptr[-1])
    lengths = chunks.stops - chunks.starts
    assert ((lengths >= 0) & (lengths <= 64)).all()
    assert not lengths[int(chunks.ptr[-1]) :].any()


def test_one_slice_of_all_edges() -> None:
    right = torch.tensor([0] * 100 + [2] * 30)
    graph = Bipartite(torch.arange(130), right, torch.tensor([0, 100, 100, 130]), 130, 3)
    chunks = chunks_of_all(graph)
    count = int(chunks.ptr[1])
    assert chunks.owners == 1
    assert list(zip(chunks.starts[:count].tolist(), chunks.stops[:count].tolist())) == [(0, 64), (64, 128), (128, 130)]
    assert chunks_of_all(graph) is chunks
