"""The edge update by the fused kernels, as one differentiable function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from gdsfd.ops.backends.triton.chunks import chunks_of_all, chunks_of_hubs
from gdsfd.ops.backends.triton.reductions import add_chunks, add_rows, total
from gdsfd.ops.backends.triton.tiles import Tiles, accumulator
from gdsfd.ops.backends.triton.update_kernels import update_edges, update_gradient
from gdsfd.ops.bipartite import Bipartite

__all__ = ["update"]


def update(left: Tensor, right: Tensor, edge: Tensor, residual: Tensor | None, graph: Bipartite, relu: bool) -> Tensor:
    """``residual + act(left[left end] + right[right end] + edge)``; see :func:`gdsfd.ops.edge_update`."""
    way = _Way(
        graph,
        relu,
        one_left=left.size(0) == 1 and graph.num_left != 1,
        one_right=right.size(0) == 1 and graph.num_right != 1,
    )
    dtype = torch.promote_types(torch.promote_types(left.dtype, right.dtype), edge.dtype)
    dtype = dtype if residual is None else torch.promote_types(dtype, residual.dtype)
    left, right, edge = (x.to(dtype).contiguous() for x in (left, right, edge))
    residual = None if residual is None else residual.to(dtype).contiguous()
    result: Tensor = _Update.apply(left, right, edge, residual, way)
    return result


@dataclass(frozen=True)
class _Way:
    graph: Bipartite
    relu: bool
    one_left: bool
    one_right: bool

    def sizes(self, edge: Tensor) -> dict[str, Any]:
        return {
            "C": edge.size(1),
            "ONE_LEFT": self.one_left,
            "ONE_RIGHT": self.one_right,
            "RELU": self.relu,
            "ACC": accumulator(edge)[1],
        }


class _Update(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, left: Tensor, right: Tensor, edge: Tensor, residual: Tensor | None, way: _Way) -> Tensor:
        ctx.way = way
        ctx.save_for_backward(left, right, edge)
        out = torch.empty_like(edge)
        if out.numel():
            tiles = Tiles(edge.size(1))
            with torch.cuda.device_of(edge):
                update_edges[tiles.over(edge.size(0))](
                    left, right, edge, residual, way.graph.left, way.graph.right, out, edge.size(0),
                    **way.sizes(edge), **tiles.sizes(), num_warps=4,
                )  # fmt: skip
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_out: Tensor) -> tuple[Tensor | None, ...]:
        return *_gradients(ctx, grad_out.contiguous()), (grad_out if ctx.needs_input_grad[3] else None), None


def _gradients(ctx: Any, grad_out: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    left, right, edge = ctx.saved_tensors
    way: _Way = ctx.way
    want_left, want_right, want_edge = ctx.needs_input_grad[:3]
    if not (want_left or want_right or want_edge):
        return None, None, None
    if not edge.numel():
        return torch.zeros_like(left), torch.zeros_like(right), torch.zeros_like(edge)
    chunks = chunks_of_all(way.graph) if way.one_right else chunks_of_hubs(way.graph)
    tiles = Tiles(edge.size(1))
    grad_edge = torch.empty_like(edge)
    partial = edge.new_empty(chunks.count, edge.size(1), dtype=accumulator(edge)[0]) if want_right else None
    grad_left = grad_right = None
    with torch.cuda.device_of(edge):
        update_gradient[(chunks.count, tiles.blocks)](
            left, right, edge, grad_out, way.graph.left, way.graph.right, chunks.starts, chunks.stops,
            partial, grad_edge, **way.sizes(edge), **tiles.sizes(), num_warps=4,
        )  # fmt: skip
        if partial is not None:
            grad_right = torch.empty_like(right)
            add_chunks(partial, chunks, grad_right)
        if want_left:
            grad_left = _left_sum(grad_edge, way)
    return grad_left, grad_right, grad_edge if want_edge else None


def _left_sum(grad_edge: Tensor, way: _Way) -> Tensor:
    """The edges' gradients at their left ends; one row for all of them where one row stood for all nodes."""
    if not way.one_left:
        return total(None, grad_edge, None, way.graph, "left", relu=False)[0]
    return add_rows(grad_edge, chunks_of_all(way.graph))
