"""Sums of a layer's messages in both directions, with the matrix product of the edges inside."""

from __future__ import annotations

from torch import Tensor

from gdsfd.errors import InputError
from gdsfd.ops.aggregate import aggregate
from gdsfd.ops.backends import backend as backend_named
from gdsfd.ops.bipartite import Bipartite, Side
from gdsfd.ops.choose import choose_layer
from gdsfd.ops.linear import linear

__all__ = ["edge_messages"]


def edge_messages(
    edge: Tensor,
    weight: Tensor,
    left: Tensor | None,
    right: Tensor | None,
    graph: Bipartite,
    mask: Tensor | None = None,
    backend: str = "auto",
    take: Tensor | None = None,
) -> tuple[Tensor | None, Tensor | None]:
    """Sums of the messages in both directions (or one), from one product of the edges.

    With ``term = edge @ weight.T``: toward the left ``sum mask * ReLU(right[k] + term)`` over a left node's edges,
    toward the right ``sum mask * ReLU(left[i] + term)`` over a right node's.

    Args:
        edge: Edge values, [E, in].
        weight: [C, in].
        left: The left nodes' term of the messages toward the right, [L, C] or [1, C]; None = that direction is not
            wanted.
        right: The right nodes' term of the messages toward the left, [R, C] or [1, C]; None = not wanted.
        graph: The edges.
        mask: [E] or [E, C], >= 0; None = 1.
        backend: ``auto`` (see :mod:`gdsfd.ops.choose`) or a name of :data:`gdsfd.ops.backends.BACKENDS`.
        take: Row of ``edge`` that each of the graph's edges has, int64 [E], where several edges share one (then
            ``edge`` is [rows, in], and its product is worked out once per row); None = each has its own.

    Returns:
        Toward the left [L, C] and toward the right [R, C]; None for what was not wanted.
    """
    channels = weight.size(0)
    edges = edge.size(0) if take is None else take.numel()
    if edge.dim() != 2 or edges != graph.num_edges or weight.size(1) != edge.size(1):
        raise InputError(
            f"edge_messages: edge has shape {list(edge.shape)} and weight {list(weight.shape)}; "
            f"expected [{graph.num_edges}, in] and [C, in]"
        )
    if mask is not None and mask.shape not in ((graph.num_edges,), (graph.num_edges, channels)):
        raise InputError(
            f"edge_messages: mask has shape {list(mask.shape)}; "
            f"expected [{graph.num_edges}] or [{graph.num_edges}, {channels}]"
        )
    for name, table, nodes in (("left", left, graph.num_left), ("right", right, graph.num_right)):
        if table is not None and (table.size(0) not in (1, nodes) or table.size(1) != channels):
            expected = f"expected [{nodes}, {channels}] or [1, {channels}]"
            raise InputError(f"edge_messages: {name} has shape {list(table.shape)}; {expected}")
    name = choose_layer(edge, weight, left, right, mask) if backend == "auto" else backend
    fused = None if name == "auto" else getattr(backend_named(name), "edge_messages", None)
    if fused is not None:
        toward_left, toward_right = fused(edge, weight, left, right, graph, mask, take)
        return toward_left, toward_right
    term = linear(edge, weight)
    term = term if take is None else term.index_select(0, take)
    mask = mask if mask is None else mask.to(term.dtype)
    both: list[Tensor | None] = []
    toward: Side
    for toward, table in (("left", right), ("right", left)):
        if table is None:
            both.append(None)
        else:
            both.append(aggregate(table.to(term.dtype), term, graph, toward, "sum", mask=mask, backend=name))
    return both[0], both[1]
