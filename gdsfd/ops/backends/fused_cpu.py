"""A layer's passes over the edges with their matrix products inside, for floats on the CPU: what models run on there.

A chunk of the edges is multiplied, and while the product is in cache both directions take their messages from it. Nothing
of the size of the edges is written but the results and what the gradient needs. Operations without a product are those of
:mod:`gdsfd.ops.backends.segment`, which walks the same chunks.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from gdsfd.errors import InputError
from gdsfd.ops.backends.segment import aggregate, edge_update
from gdsfd.ops.bipartite import Bipartite, Side
from gdsfd.ops.chunks import chunks, collect, ends, narrowed, plus_ends
from gdsfd.ops.linear import plain_float, rows_by, weight_gradient

__all__ = ["aggregate", "edge_messages", "edge_update", "linear_edge_update", "usable"]


def usable() -> bool:
    """Everywhere; tensors on other devices are refused when they come."""
    return True


def edge_messages(
    edge: Tensor,
    weight: Tensor,
    left: Tensor | None,
    right: Tensor | None,
    graph: Bipartite,
    mask: Tensor | None,
    take: Tensor | None,
) -> tuple[Tensor | None, Tensor | None]:
    """See :func:`gdsfd.ops.edge_messages`."""
    _check("edge_messages", edge, weight, left, right, mask)
    column = mask.unsqueeze(1) if mask is not None and mask.dim() == 1 else mask
    inputs = (edge, weight, left, right, column)
    toward_left, toward_right = _EdgeMessages.apply(*inputs, take, graph, _wants_gradient(*inputs))
    return toward_left, toward_right


def linear_edge_update(
    edge: Tensor, weight: Tensor, left: Tensor, right: Tensor, graph: Bipartite, take: Tensor | None
) -> Tensor:
    """See :func:`gdsfd.ops.linear_edge_update`."""
    _check("linear_edge_update", edge, weight, left, right)
    inputs = (edge, weight, left, right)
    result: Tensor = _EdgeUpdate.apply(*inputs, take, graph, _wants_gradient(*inputs))
    return result


def _check(operation: str, *tensors: Tensor | None) -> None:
    if not plain_float(*tensors):
        given = ", ".join(sorted({f"{each.dtype} on {each.device}" for each in tensors if each is not None}))
        raise InputError(
            f"{operation}: the backend 'fused_cpu' takes float32 and float64 on the CPU, without autocast, got {given}; "
            "take backend='auto'"
        )


def _given(values: Tensor, take: Tensor | None, rows: int) -> Tensor:
    """What edges that share rows give back to them, always in the same order."""
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
        for chunk in chunks(graph):
            rows = slice(chunk.start, chunk.stop)
            term = rows_by(edge[rows], weight) if shared is None or take is None else shared.index_select(0, take[rows])
            if kept is not None:
                kept = _put(kept, rows, term)
            if toward_left is not None and right is not None:
                message = plus_ends(term, right, chunk, "right").relu_()
                collect(toward_left, message if mask is None else message.mul_(mask[rows]), chunk, "left")
            if toward_right is not None and left is not None:
                message = plus_ends(term, left, chunk, "left").relu_()
                collect(toward_right, message if mask is None else message.mul_(mask[rows]), chunk, "right")
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
        for chunk in chunks(ctx.graph):
            rows = slice(chunk.start, chunk.stop)
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
                message = plus_ends(term, node, chunk, source)
                passed = ends(above, chunk, target)
                if mask is not None:
                    if of_mask is not None:
                        of_mask[rows] += narrowed(passed * message.relu(), mask.size(1))
                    passed = passed * mask[rows]
                passed = _through(passed.expand_as(message), message)
                if of_node is not None:
                    collect(of_node, passed, chunk, source)
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
        # bfloat16 has the exponents of float32, so a positive number stays one (down to 1e-40). One chunk is kept as
        # it is: to convert it costs more than its memory does.
        few = len(chunks(graph)) == 1
        kind = torch.bfloat16 if edge.dtype == torch.float32 and not few else edge.dtype
        kept = edge.new_empty(out.shape, dtype=kind) if keep else None
        for chunk in chunks(graph):
            rows = slice(chunk.start, chunk.stop)
            if shared is None or take is None:
                own, term = edge[rows], rows_by(edge[rows], weight)
            else:
                own, term = edge.index_select(0, take[rows]), shared.index_select(0, take[rows])
            term.add_(ends(right, chunk, "right")).add_(ends(left, chunk, "left")).relu_()
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
        for chunk in chunks(ctx.graph):
            rows = slice(chunk.start, chunk.stop)
            passed = torch.ops.aten.threshold_backward(above[rows], kept[rows].to(edge.dtype), 0)
            if of_left is not None:
                collect(of_left, passed, chunk, "left")
            if of_right is not None:
                collect(of_right, passed, chunk, "right")
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
