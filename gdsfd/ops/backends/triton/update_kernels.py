"""The edge update, and its way back to the edges and their right ends."""

from __future__ import annotations

import triton
import triton.language as tl

from gdsfd.ops.backends.triton.message import activate, edges_at, rows, share

__all__ = ["update_edges", "update_gradient"]


@triton.jit
def update_edges(
    left: tl.tensor,
    right: tl.tensor,
    edge: tl.tensor,
    residual: tl.tensor,
    left_end: tl.tensor,
    right_end: tl.tensor,
    out: tl.tensor,
    edges: tl.tensor,
    C: tl.constexpr,
    ONE_LEFT: tl.constexpr,
    ONE_RIGHT: tl.constexpr,
    RELU: tl.constexpr,
    ACC: tl.constexpr,
    R: tl.constexpr,
    BC: tl.constexpr,
) -> None:
    """``residual + act(left + right + edge)`` for R edges."""
    e = tl.program_id(0).to(tl.int64) * R + tl.arange(0, R)
    on = e < edges
    c = tl.program_id(1) * BC + tl.arange(0, BC)
    tile = on[:, None] & (c < C)[None, :]
    result = activate(before(left, right, edge, left_end, right_end, e, on, c, tile, C, ONE_LEFT, ONE_RIGHT, ACC), RELU)
    if residual is not None:
        result += rows(residual, e, c, tile, C, ACC)
    tl.store(out + e[:, None] * C + c[None, :], result.to(out.dtype.element_ty), mask=tile)


@triton.jit
def update_gradient(
    left: tl.tensor,
    right: tl.tensor,
    edge: tl.tensor,
    grad_out: tl.tensor,
    left_end: tl.tensor,
    right_end: tl.tensor,
    starts: tl.tensor,
    stops: tl.tensor,
    partial: tl.tensor,  # None: the gradient of right is not wanted
    grad_edge: tl.tensor,
    C: tl.constexpr,
    ONE_LEFT: tl.constexpr,
    ONE_RIGHT: tl.constexpr,
    RELU: tl.constexpr,
    ACC: tl.constexpr,
    R: tl.constexpr,
    BC: tl.constexpr,
) -> None:
    """One chunk of a right node's slice; ``add_up`` combines the chunks."""
    i, live, first, last, steps = share(None, starts, stops, 0, R)
    c = tl.program_id(1) * BC + tl.arange(0, BC)
    total = tl.zeros((R, BC), dtype=ACC)
    for j in range(0, steps):
        e, on = edges_at(None, first, last, j, R)
        tile = on[:, None] & (c < C)[None, :]
        g = rows(grad_out, e, c, tile, C, ACC)
        if RELU:
            z = before(left, right, edge, left_end, right_end, e, on, c, tile, C, ONE_LEFT, ONE_RIGHT, ACC)
            g = tl.where(z <= 0, 0.0, g)
        tl.store(grad_edge + e[:, None] * C + c[None, :], g.to(grad_edge.dtype.element_ty), mask=tile)
        total += g
    if partial is not None:
        tile = live[:, None] & (c < C)[None, :]
        tl.store(partial + i[:, None] * C + c[None, :], tl.sum(total, axis=0)[None, :], mask=tile)


@triton.jit
def before(
    left: tl.tensor,
    right: tl.tensor,
    edge: tl.tensor,
    left_end: tl.tensor,
    right_end: tl.tensor,
    e: tl.tensor,
    on: tl.tensor,
    c: tl.tensor,
    tile: tl.tensor,
    C: tl.constexpr,
    ONE_LEFT: tl.constexpr,
    ONE_RIGHT: tl.constexpr,
    ACC: tl.constexpr,
) -> tl.tensor:
    """``left + right + edge`` before the activation, in the order in which the reference adds."""
    l = e - e
    if not ONE_LEFT:
        l = tl.load(left_end + e, mask=on, other=0)
    r = e - e
    if not ONE_RIGHT:
        r = tl.load(right_end + e, mask=on, other=0)
    return rows(left, l, c, tile, C, ACC) + rows(right, r, c, tile, C, ACC) + rows(edge, e, c, tile, C, ACC)
