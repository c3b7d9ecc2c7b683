"""EdgeChunk by chunk over sorted edges, nothing of their size kept: deterministic, without atomics.

A message is worked out again for the gradient instead of being stored, in chunks that stay in cache. A hub's edges are
consecutive, so its node term is one row added to a chunk and its sum one reduction of consecutive rows.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from gdsfd.ops.backends.composition import Activation, compose, other, weighted
from gdsfd.ops.bipartite import Bipartite, Side
from gdsfd.ops.chunks import EdgeChunk, chunks, collect, ends, narrowed, plus_ends

__all__ = ["aggregate", "edge_update", "usable"]


def usable() -> bool:
    """Everywhere."""
    return True


def _message(node: Tensor, edge: Tensor | None, chunk: EdgeChunk, source: Side) -> Tensor:
    """Before the activation; a fresh [rows, C]."""
    if edge is None:
        rows = ends(node, chunk, source)
        return rows.expand(chunk.stop - chunk.start, -1).clone()
    return plus_ends(edge[chunk.start : chunk.stop], node, chunk, source)


class _WeightedTotal(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        node: Tensor,
        edge: Tensor | None,
        weight: Tensor | None,
        graph: Bipartite,
        toward: Side,
        activation: Activation,
    ) -> Tensor:
        out = node.new_zeros(graph.num_nodes(toward), node.size(1))
        for chunk in chunks(graph):
            message = _message(node, edge, chunk, other(toward))
            if activation == "relu":
                message.relu_()
            if weight is not None:
                message = weighted(message, weight[chunk.start : chunk.stop])
            collect(out, message, chunk, toward)
        ctx.save_for_backward(node, edge, weight)
        ctx.graph, ctx.toward, ctx.activation = graph, toward, activation
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, above: Tensor) -> tuple[Tensor | None, ...]:
        node, edge, weight = ctx.saved_tensors
        source = other(ctx.toward)
        of_node = torch.zeros_like(node) if ctx.needs_input_grad[0] else None
        of_edge = torch.empty(edge.shape, dtype=node.dtype, device=node.device) if ctx.needs_input_grad[1] else None
        of_weight = torch.empty_like(weight) if ctx.needs_input_grad[2] else None
        for chunk in chunks(ctx.graph):
            rows = slice(chunk.start, chunk.stop)
            message = _message(node, edge, chunk, source)
            passed = ends(above, chunk, ctx.toward)
            if of_weight is not None:
                active = message.relu() if ctx.activation == "relu" else message
                of_weight[rows] = narrowed(passed * active, weight.size(1))
            passed = passed.expand_as(message)
            if weight is not None:
                passed = weighted(passed, weight[rows])
            if ctx.activation == "relu":
                passed = torch.ops.aten.threshold_backward(passed, message, 0)
            if of_edge is not None:
                of_edge[rows] = passed
            if of_node is not None:
                collect(of_node, passed, chunk, source)
        return of_node, of_edge, of_weight, None, None, None


class _Segments:
    def weighted_total(
        self,
        node: Tensor,
        edge: Tensor | None,
        weight: Tensor | None,
        graph: Bipartite,
        toward: Side,
        activation: Activation,
    ) -> Tensor:
        out: Tensor = _WeightedTotal.apply(node, edge, weight, graph, toward, activation)
        return out

    def total(self, values: Tensor, graph: Bipartite, toward: Side) -> Tensor:
        return self.weighted_total(values.new_zeros(1, values.size(1)), values, None, graph, toward, "none")


_SEGMENTS = _Segments()


#: See :func:`gdsfd.ops.aggregate`.
aggregate = partial(compose, _SEGMENTS)


class _EdgeUpdate(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        left: Tensor,
        right: Tensor,
        edge: Tensor,
        residual: Tensor | None,
        graph: Bipartite,
        activation: Activation,
    ) -> Tensor:
        out = torch.empty_like(edge, memory_format=torch.contiguous_format)
        for chunk in chunks(graph):
            rows = slice(chunk.start, chunk.stop)
            term = plus_ends(edge[rows], left, chunk, "left").add_(ends(right, chunk, "right"))
            if activation == "relu":
                term.relu_()
            out[rows] = term if residual is None else term.add_(residual[rows])
        ctx.save_for_backward(left, right, edge)
        ctx.graph, ctx.activation = graph, activation
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, above: Tensor) -> tuple[Tensor | None, ...]:
        left, right, edge = ctx.saved_tensors
        wants = ctx.needs_input_grad
        of_left = torch.zeros_like(left) if wants[0] else None
        of_right = torch.zeros_like(right) if wants[1] else None
        of_edge = torch.empty_like(edge, memory_format=torch.contiguous_format) if wants[2] else None
        for chunk in chunks(ctx.graph) if any(wants[:3]) else ():
            rows = slice(chunk.start, chunk.stop)
            passed = above[rows]
            if ctx.activation == "relu":
                term = plus_ends(edge[rows], left, chunk, "left").add_(ends(right, chunk, "right"))
                passed = torch.ops.aten.threshold_backward(passed, term, 0)
            if of_edge is not None:
                of_edge[rows] = passed
            if of_left is not None:
                collect(of_left, passed, chunk, "left")
            if of_right is not None:
                collect(of_right, passed, chunk, "right")
        return of_left, of_right, of_edge, above if wants[3] else None, None, None


def edge_update(
    left: Tensor, right: Tensor, edge: Tensor, residual: Tensor | None, graph: Bipartite, activation: Activation
) -> Tensor:
    """See :func:`gdsfd.ops.edge_update`."""
    out: Tensor = _EdgeUpdate.apply(left, right, edge, residual, graph, activation)
    return out
