"""A layer's two passes over the edges, each with its matrix product inside.

Both are what :func:`gdsfd.ops.linear`, :func:`gdsfd.ops.aggregate` and :func:`gdsfd.ops.edge_update` give one after the
other, and that is what runs on other devices. On the CPU the product of a piece of edges is used while it is in cache,
by both directions, and nothing of the size of the edges is written but the results and what the gradient needs.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from gdsfd.errors import InputError
from gdsfd.ops.aggregate import aggregate
from gdsfd.ops.bipartite import Bipartite, Side
from gdsfd.ops.edge_update import edge_update
from gdsfd.ops.linear import linear, plain_float, rows_by, weight_gradient
from gdsfd.ops.pieces import collect, ends, narrowed, pieces, plus_ends

__all__ = ["edge_messages", "linear_edge_update", "mask_total"]


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
        backend: ``auto``, or the one of :func:`gdsfd.ops.aggregate` that does both directions.
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
    if backend == "auto" and plain_float(edge, weight, left, right, mask):
        column = mask.unsqueeze(1) if mask is not None and mask.dim() == 1 else mask
        inputs = (edge, weight, left, right, column)
        toward_left, toward_right = _EdgeMessages.apply(*inputs, take, graph, _wants_gradient(*inputs))
        return toward_left, toward_right
    term = _taken(linear(edge, weight), take)
    mask = mask if mask is None else mask.to(term.dtype)
    both: list[Tensor | None] = []
    toward: Side
    for toward, table in (("left", right), ("right", left)):
        if table is None:
            both.append(None)
        else:
            node = table.to(term.dtype)
            both.append(aggregate(node, term, graph, toward, "sum", mask=mask, backend=backend))
    return both[0], both[1]


def linear_edge_update(
    edge: Tensor,
    weight: Tensor,
    left: Tensor,
    right: Tensor,
    graph: Bipartite,
    backend: str = "auto",
    take: Tensor | None = None,
) -> Tensor:
    """``edge + ReLU(left[i] + right[k] + edge @ weight.T)``.

    Args:
        edge: Edge values, [E, C].
        weight: [C, C].
        left: Term of the left nodes, [L, C] or [1, C].
        right: Term of the right nodes, [R, C] or [1, C].
        graph: The edges.
        backend: ``auto``, or the one of :func:`gdsfd.ops.edge_update`.
        take: As in :func:`edge_messages`.

    Returns:
        [graph.num_edges, C].
    """
    if backend == "auto" and plain_float(edge, weight, left, right):
        inputs = (edge, weight, left, right)
        result: Tensor = _EdgeUpdate.apply(*inputs, take, graph, _wants_gradient(*inputs))
        return result
    return edge_update(left, right, _taken(linear(edge, weight), take), _taken(edge, take), graph, backend=backend)


def mask_total(mask: Tensor | None, graph: Bipartite, side: Literal["left", "right"]) -> Tensor:
    """What the messages of each node on one side are divided by: the sum of its edges' mask.

    Args:
        mask: [E] or [E, C]; None = 1 everywhere.
        graph: The edges.
        side: Which nodes.

    Returns:
        [nodes, 1] or [nodes, C]; without a mask the degree, as the default float type.
    """
    if mask is None:
        return graph.degree(side).to(torch.get_default_dtype()).unsqueeze(1)
    column = mask.unsqueeze(1) if mask.dim() == 1 else mask
    return aggregate(column.new_zeros(1, column.size(1)), column, graph, side, "sum", "none")


def _taken(rows: Tensor, take: Tensor | None) -> Tensor:
    return rows if take is None else rows.index_select(0, take)


def _given(values: Tensor, take: Tensor | None, rows: int) -> Tensor:
    """The gradient of :func:`_taken`, always in the same order."""
    return values if take is None else values.new_zeros(rows, values.size(1)).index_add_(0, take, values)


def _put(whole: Tensor, rows: slice, part: Tensor) -> Tensor:
    """``whole`` with some rows filled in; a part that is all of it takes its place without being copied."""
    if part.shape == whole.shape and part.dtype == whole.dtype:
        return part
    whole[rows] = part
    return whole


def _through(above: Tensor, message: Tensor) -> Tensor:
    """The gradient that a ReLU lets through, in place of what went into it."""
    passed: Tensor = torch.ops.aten.threshold_backward(above, message, 0, grad_input=message)
    return passed


def _wants_gradient(*tensors: Tensor | None) -> bool:
    return torch.is_grad_enabled() and any(tensor is not None and tensor.requires_grad for tensor in tensors)


class _EdgeMessages(torch.autograd.Function):
    """Saves the edges' term; with a mask only the inputs, and works the term out again."""

    @staticmethod
    def forward(
        ctx: Any,
        edge: Tensor,
        weight: Tensor,
        left: Tensor | None,
        right: Tensor | None,
        mask: Tensor | None,
        take: Tensor | None,
        graph: Bipartite,
        keep: bool,
    ) -> tuple[Tensor | None, Tensor | None]:
        channels = weight.size(0)
        toward_left = None if right is None else edge.new_zeros(graph.num_left, channels)
        toward_right = None if left is None else edge.new_zeros(graph.num_right, channels)
        shared = None if take is None else rows_by(edge, weight)
        kept = edge.new_empty(graph.num_edges, channels) if mask is None and keep else None
        for piece in pieces(graph):
            rows = slice(piece.start, piece.stop)
            term = rows_by(edge[rows], weight) if shared is None or take is None else shared.index_select(0, take[rows])
            if kept is not None:
                kept = _put(kept, rows, term)
            if toward_left is not None and right is not None:
                message = plus_ends(term, right, piece, "right").relu_()
                collect(toward_left, message if mask is None else message.mul_(mask[rows]), piece, "left")
            if toward_right is not None and left is not None:
                message = plus_ends(term, left, piece, "left").relu_()
                collect(toward_right, message if mask is None else message.mul_(mask[rows]), piece, "right")
        ctx.save_for_backward(edge, weight, left, right, mask, take, kept)
        ctx.graph = graph
        ctx.set_materialize_grads(False)
        return toward_left, toward_right

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, from_left: Tensor | None, from_right: Tensor | None) -> tuple[Tensor | None, ...]:
        edge, weight, left, right, mask, take, kept = ctx.saved_tensors
        wants = ctx.needs_input_grad
        of_edge = torch.empty_like(edge) if wants[0] else None
        of_weight = torch.zeros_like(weight) if wants[1] else None
        of_terms = None if take is None else edge.new_empty(ctx.graph.num_edges, weight.size(0))
        shared = None if take is None or kept is not None else rows_by(edge, weight)
        of_left = torch.zeros_like(left) if wants[2] else None
        of_right = torch.zeros_like(right) if wants[3] else None
        of_mask = torch.zeros_like(mask) if wants[4] else None
        turned = weight.t()
        directions: list[tuple[Tensor, Tensor, Side, Side, Tensor | None]] = []
        if from_left is not None and right is not None:
            directions.append((from_left, right, "left", "right", of_right))
        if from_right is not None and left is not None:
            directions.append((from_right, left, "right", "left", of_left))
        for piece in pieces(ctx.graph):
            rows = slice(piece.start, piece.stop)
            if kept is not None:
                term = kept[rows]
            else:
                term = (
                    rows_by(edge[rows], weight)
                    if shared is None or take is None
                    else shared.index_select(0, take[rows])
                )
            of_term = torch.zeros_like(term) if not directions else None
            for above, node, target, source, of_node in directions:
                message = plus_ends(term, node, piece, source)
                passed = ends(above, piece, target)
                if mask is not None:
                    if of_mask is not None:
                        of_mask[rows] += narrowed(passed * message.relu(), mask.size(1))
                    passed = passed * mask[rows]
                passed = _through(passed.expand_as(message), message)
                if of_node is not None:
                    collect(of_node, passed, piece, source)
                of_term = passed if of_term is None else of_term.add_(passed)
            assert of_term is not None
            if of_terms is not None:
                of_terms = _put(of_terms, rows, of_term)
                continue
            if of_edge is not None:
                of_edge = _put(of_edge, rows, rows_by(of_term, turned))
            if of_weight is not None:
                weight_gradient(of_term, edge[rows], of_weight)
        if of_terms is not None:
            of_term = _given(of_terms, take, edge.size(0))
            of_edge = rows_by(of_term, turned) if wants[0] else None
            of_weight = weight_gradient(of_term, edge) if wants[1] else None
        return of_edge, of_weight, of_left, of_right, of_mask, None, None, None


class _EdgeUpdate(torch.autograd.Function):
    """Saves its inputs and, at half precision, what the ReLU let through: only its sign is asked for."""

    @staticmethod
    def forward(
        ctx: Any,
        edge: Tensor,
        weight: Tensor,
        left: Tensor,
        right: Tensor,
        take: Tensor | None,
        graph: Bipartite,
        keep: bool,
    ) -> Tensor:
        out = edge.new_empty(graph.num_edges, edge.size(1))
        shared = None if take is None else rows_by(edge, weight)
        # bfloat16 has the exponents of float32, so a positive number stays one (down to 1e-40). One piece is kept as
        # it is: to convert it costs more than its memory does.
        few = len(pieces(graph)) == 1
        kind = torch.bfloat16 if edge.dtype == torch.float32 and not few else edge.dtype
        kept = edge.new_empty(out.shape, dtype=kind) if keep else None
        for piece in pieces(graph):
            rows = slice(piece.start, piece.stop)
            if shared is None or take is None:
                own, term = edge[rows], rows_by(edge[rows], weight)
            else:
                own, term = edge.index_select(0, take[rows]), shared.index_select(0, take[rows])
            term.add_(ends(right, piece, "right")).add_(ends(left, piece, "left")).relu_()
            if kept is not None:
                kept = _put(kept, rows, term)
            torch.add(term, own, out=out[rows])
        ctx.save_for_backward(edge, weight, left, right, take, kept)
        ctx.graph = graph
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, above: Tensor) -> tuple[Tensor | None, ...]:
        edge, weight, left, right, take, kept = ctx.saved_tensors
        wants = ctx.needs_input_grad
        of_edge = torch.empty_like(edge, memory_format=torch.contiguous_format) if wants[0] else None
        of_weight = torch.zeros_like(weight) if wants[1] else None
        of_left = torch.zeros_like(left) if wants[2] else None
        of_right = torch.zeros_like(right) if wants[3] else None
        of_terms = None if take is None else torch.empty_like(above, memory_format=torch.contiguous_format)
        turned = weight.t()
        for piece in pieces(ctx.graph):
            rows = slice(piece.start, piece.stop)
            passed = torch.ops.aten.threshold_backward(above[rows], kept[rows].to(edge.dtype), 0)
            if of_left is not None:
                collect(of_left, passed, piece, "left")
            if of_right is not None:
                collect(of_right, passed, piece, "right")
            if of_terms is not None:
                of_terms = _put(of_terms, rows, passed)
                continue
            if of_weight is not None:
                weight_gradient(passed, edge[rows], of_weight)
            if of_edge is not None:
                torch.add(rows_by(passed, turned), above[rows], out=of_edge[rows])
        if of_terms is not None:
            passed = _given(of_terms, take, edge.size(0))
            of_edge = rows_by(passed, turned).add_(_given(above, take, edge.size(0))) if wants[0] else None
            of_weight = weight_gradient(passed, edge) if wants[1] else None
        return of_edge, of_weight, of_left, of_right, None, None, None
