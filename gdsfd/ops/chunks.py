"""EdgeChunk: consecutive edges, few enough to stay in the processor's cache."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from gdsfd.ops.bipartite import Bipartite, Side

__all__ = ["EdgeChunk", "chunks", "collect", "ends", "narrowed", "plus_ends"]

# Rows per chunk. One thread does not care between 1024 and 8192; with two, small chunks leave a thread waiting at every
# call: on 20,000 x 5 edges at density .6 and 128 channels an aggregation with its gradient took 31 ms in chunks of
# 4096, 23 ms in chunks of 16384, 22 ms in one. 16384 rows keep the temporaries at 8 MiB, which bounds the memory.
_ROWS = 16384
# Hubs with fewer edges than this on average share chunks; their terms are then gathered and scattered as the patients'
# are. With 2,000 edges per hub (4,000 x 256) a layer in shared chunks took 2.4 s, hub by hub 3.1 s.
_LONG = 8192


@dataclass(eq=False)
class EdgeChunk:
    """Consecutive edges ``start:stop``.

    Args:
        start: First edge.
        stop: Edge after the last.
        hub: The one right node of all of them, None when they have several.
        left: Left ends; int64 [stop - start].
        right: Right ends; int64 [stop - start].
    """

    start: int
    stop: int
    hub: int | None
    left: Tensor
    right: Tensor


def chunks(graph: Bipartite) -> list[EdgeChunk]:
    """Cuts the edges into chunks, hub by hub where the hubs' slices are long; worked out once per graph."""
    found: list[EdgeChunk] | None = graph.__dict__.get("_chunks")
    if found is None:
        if graph.num_edges >= _LONG * graph.num_right:
            borders = graph.right_ptr.tolist()
            runs: list[tuple[int | None, int, int]] = [
                (hub, borders[hub], borders[hub + 1]) for hub in range(graph.num_right)
            ]
        else:
            runs = [(None, 0, graph.num_edges)]  # chunks of several hubs
        found = []
        for hub, first, last in runs:
            for start in range(first, last, _ROWS):
                stop = min(start + _ROWS, last)
                found.append(EdgeChunk(start, stop, hub, graph.left[start:stop], graph.right[start:stop]))
        graph.__dict__["_chunks"] = found
    return found


def ends(table: Tensor, chunk: EdgeChunk, side: Side) -> Tensor:
    """A table's rows for a chunk's ends: one row where it is the same for all, else one per edge of the chunk.

    Args:
        table: [nodes, C], or [1, C] = the same for all.
        chunk: The edges.
        side: The ends' side.
    """
    if table.size(0) == 1:
        return table
    if side == "right" and chunk.hub is not None:
        return table[chunk.hub : chunk.hub + 1]
    return table.index_select(0, chunk.left if side == "left" else chunk.right)


def narrowed(values: Tensor, width: int) -> Tensor:
    """Sums over adjacent channels down to ``width`` columns."""
    return values if width == values.size(1) else values.unflatten(1, (width, -1)).sum(-1)


def plus_ends(values: Tensor, table: Tensor, chunk: EdgeChunk, side: Side) -> Tensor:
    """A chunk's rows plus the node terms of its ends, in memory of its own.

    Args:
        values: [rows of the chunk, C].
        table: [nodes, C], or [1, C] = the same for all.
        chunk: The edges.
        side: The ends' side.
    """
    terms = ends(table, chunk, side)
    if table.size(0) == 1 or (side == "right" and chunk.hub is not None):
        return values + terms  # rows of the table itself, which stays as it is
    return terms.add_(values)


def collect(total: Tensor, values: Tensor, chunk: EdgeChunk, side: Side) -> None:
    """Adds a chunk's rows to their ends' rows of ``total``, in the order of the edges, so the same bits every time.

    Args:
        total: [nodes, C], or [1, C] for one sum over all.
        values: [rows of the chunk, C].
        chunk: The edges.
        side: The ends' side.
    """
    if total.size(0) == 1:
        total[0] += values.sum(0)
    elif side == "right" and chunk.hub is not None:
        total[chunk.hub] += values.sum(0)
    else:
        # index_add_ along the first dimension is serial: duplicates are safe and the order is fixed.
        total.index_add_(0, chunk.left if side == "left" else chunk.right, values)
