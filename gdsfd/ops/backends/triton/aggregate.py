"""Aggregation by the fused kernels, as one differentiable function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from gdsfd.ops.backends.composition import Activation, Reduce, other
from gdsfd.ops.backends.triton.chunks import chunks_of_all, chunks_of_hubs
from gdsfd.ops.backends.triton.gradient_kernels import source_gradient, weight_gradient
from gdsfd.ops.backends.triton.reductions import add_chunks, constants, largest, one_of, partial_sums, total
from gdsfd.ops.backends.triton.tiles import Tiles
from gdsfd.ops.bipartite import Bipartite, Side

__all__ = ["reduce_edges"]


@dataclass(frozen=True)
class _Way:
    """What of an aggregation is not a tensor with a gradient."""

    graph: Bipartite
    toward: Side
    reduce: Reduce
    relu: bool

    @property
    def source(self) -> Tensor:
        return self.graph.ends(other(self.toward))

    @property
    def target(self) -> Tensor:
        return self.graph.ends(self.toward)

    @property
    def sources(self) -> int:
        return self.graph.num_nodes(other(self.toward))


def reduce_edges(
    node: Tensor | None,
    edge: Tensor | None,
    mask: Tensor | None,
    graph: Bipartite,
    toward: Side,
    reduce: Reduce,
    activation: Activation,
) -> Tensor:
    """Sum, mean or max of the messages; differentiable once.

    Args:
        node: [S, C] or [1, C]; None = the messages are the edge terms.
        edge: [E, C] or None, not both.
        mask: [E, W] with W dividing C, or None.
        graph: The edges.
        toward: The side of the destinations.
        reduce: See :func:`gdsfd.ops.aggregate`.
        activation: Likewise.

    Returns:
        [D, C].
    """
    node, edge, mask = (None if x is None else x.contiguous() for x in (node, edge, mask))
    result: Tensor = _Aggregation.apply(node, edge, mask, _Way(graph, toward, reduce, activation == "relu"))
    return result


class _Aggregation(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, node: Tensor | None, edge: Tensor | None, mask: Tensor | None, way: _Way) -> Tensor:
        if way.reduce == "max":
            out, arg = largest(node, edge, mask, way.graph, way.toward, way.relu)
            norm = None
        else:
            # A weight's gradient is the message minus the mean. For a destination of one edge that is 0, but rounding
            # noise if the mean was rounded to half precision before it is taken away.
            centred = way.reduce == "mean" and ctx.needs_input_grad[2]
            out, norm = total(node, edge, mask, way.graph, way.toward, way.relu, way.reduce == "mean", exact=centred)
            arg = None
        ctx.way = way
        ctx.save_for_backward(node, edge, mask, out if norm is not None and mask is not None else None, norm, arg)
        return out.to(one_of(node, edge).dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_out: Tensor) -> tuple[Tensor | None, ...]:
        return *_gradients(ctx, grad_out.contiguous()), None


def _gradients(ctx: Any, grad_out: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    node, edge, mask, out, norm, arg = ctx.saved_tensors
    way: _Way = ctx.way
    graph, like = way.graph, one_of(node, edge)
    if not graph.num_edges or not like.size(1):
        blank = [torch.zeros_like(x) if wanted else None for x, wanted in zip((node, edge, mask), ctx.needs_input_grad)]
        return blank[0], blank[1], blank[2]
    grad_node, grad_edge, grad_mask = (
        torch.empty_like(x) if wanted else None for x, wanted in zip((node, edge, mask), ctx.needs_input_grad)
    )
    per_channel = mask is not None and mask.size(1) == like.size(1)
    sizes = constants(node, like, mask, way.relu, way.sources)
    with torch.cuda.device_of(like):
        if grad_mask is not None and not per_channel:
            tiles = Tiles(sizes["GROUP"])
            grid = (tiles.over(graph.num_edges)[0], sizes["W"])
            weight_gradient[grid](
                node, edge, grad_out, out, norm, arg, way.source, way.target, grad_mask, graph.num_edges,
                **sizes, **tiles.sizes(), num_warps=4,
            )  # fmt: skip
        fused = grad_mask if per_channel else None
        if grad_node is None and grad_edge is None and fused is None:
            return grad_node, grad_edge, grad_mask
        gradients = (node, edge, mask, grad_out, out, norm, arg)
        if way.toward == "right" and grad_node is not None and not sizes["ONE_NODE"]:
            tiles = Tiles(like.size(1), graph.num_left)
            source_gradient[tiles.over(graph.num_left)](
                *gradients, graph.by_left, graph.left_ptr, None, way.source, way.target, grad_node, grad_edge, fused,
                graph.num_left, **sizes, **tiles.sizes(), num_warps=4,
            )  # fmt: skip
        else:
            chunks = chunks_of_all(graph) if sizes["ONE_NODE"] else chunks_of_hubs(graph)
            partial = None if grad_node is None else partial_sums(chunks, like)
            tiles = Tiles(like.size(1))
            source_gradient[(chunks.count, tiles.blocks)](
                *gradients, None, chunks.starts, chunks.stops, way.source, way.target, partial, grad_edge, fused,
                chunks.count, **sizes, **tiles.sizes(), num_warps=4,
            )  # fmt: skip
            if partial is not None and grad_node is not None:
                add_chunks(partial, chunks, grad_node)
    return grad_node, grad_edge, grad_mask
