"""Gradients by recomputation: every edge is visited once, by the piece or the node that owns its source."""

from __future__ import annotations

import triton
import triton.language as tl

from gdsfd.ops.backends.triton.message import activate, arriving, gradient, masked_product, message, rows

__all__ = ["slice_gradient", "walk_gradient", "weight_gradient"]


@triton.jit
def walk_gradient(
    node: tl.tensor,
    edge: tl.tensor,
    mask: tl.tensor,
    grad_out: tl.tensor,
    out: tl.tensor,
    norm: tl.tensor,
    arg: tl.tensor,
    order: tl.tensor,
    ptr: tl.tensor,
    target: tl.tensor,
    grad_node: tl.tensor,
    grad_edge: tl.tensor,
    grad_mask: tl.tensor,
    owners: tl.tensor,
    C: tl.constexpr,
    W: tl.constexpr,
    GROUP: tl.constexpr,
    RELU: tl.constexpr,
    ACC: tl.constexpr,
    R: tl.constexpr,
    BC: tl.constexpr,
) -> None:
    """R source nodes side by side, each walking its edges."""
    i = tl.program_id(0).to(tl.int64) * R + tl.arange(0, R)
    live = i < owners
    c = tl.program_id(1) * BC + tl.arange(0, BC)
    start = tl.load(ptr + i, mask=live, other=0)
    degree = tl.load(ptr + i + 1, mask=live, other=0) - start
    total = tl.zeros((R, BC), dtype=ACC)
    for j in range(0, tl.max(degree, axis=0)):
        on = j < degree
        tile = on[:, None] & (c < C)[None, :]
        e = tl.load(order + start + j, mask=on, other=0)
        t = tl.load(target + e, mask=on, other=0)
        total += gradient(
            node,
            edge,
            mask,
            grad_out,
            out,
            norm,
            arg,
            grad_edge,
            grad_mask,
            i,
            t,
            e,
            c,
            on,
            tile,
            C,
            W,
            GROUP,
            RELU,
            ACC,
        )
    tile = live[:, None] & (c < C)[None, :]
    tl.store(grad_node + i[:, None] * C + c[None, :], total.to(grad_node.dtype.element_ty), mask=tile)


@triton.jit
def slice_gradient(
    node: tl.tensor,
    edge: tl.tensor,
    mask: tl.tensor,
    grad_out: tl.tensor,
    out: tl.tensor,
    norm: tl.tensor,
    arg: tl.tensor,
    starts: tl.tensor,
    stops: tl.tensor,
    source: tl.tensor,
    target: tl.tensor,
    partial: tl.tensor,  # None: the gradient of node is not wanted
    grad_edge: tl.tensor,
    grad_mask: tl.tensor,
    C: tl.constexpr,
    W: tl.constexpr,
    GROUP: tl.constexpr,
    ONE_NODE: tl.constexpr,
    RELU: tl.constexpr,
    ACC: tl.constexpr,
    R: tl.constexpr,
    BC: tl.constexpr,
) -> None:
    """One piece of a source's slice; ``combine_sums`` adds up the pieces."""
    piece = tl.program_id(0).to(tl.int64)
    c = tl.program_id(1) * BC + tl.arange(0, BC)
    start = tl.load(starts + piece)
    stop = tl.load(stops + piece)
    total = tl.zeros((R, BC), dtype=ACC)
    for j in range(0, tl.cdiv(stop - start, R)):
        e = start + j * R + tl.arange(0, R)
        on = e < stop
        tile = on[:, None] & (c < C)[None, :]
        s = e - e
        if not ONE_NODE:
            s = tl.load(source + e, mask=on, other=0)
        t = tl.load(target + e, mask=on, other=0)
        total += gradient(
            node,
            edge,
            mask,
            grad_out,
            out,
            norm,
            arg,
            grad_edge,
            grad_mask,
            s,
            t,
            e,
            c,
            on,
            tile,
            C,
            W,
            GROUP,
            RELU,
            ACC,
        )
    if partial is not None:
        tl.store(partial + piece * C + c, tl.sum(total, axis=0), mask=c < C)


@triton.jit
def weight_gradient(
    node: tl.tensor,
    edge: tl.tensor,
    grad_out: tl.tensor,
    out: tl.tensor,
    norm: tl.tensor,
    arg: tl.tensor,
    source: tl.tensor,
    target: tl.tensor,
    grad_mask: tl.tensor,  # [E, W], W < C
    edges: tl.tensor,
    C: tl.constexpr,
    W: tl.constexpr,
    GROUP: tl.constexpr,
    ONE_NODE: tl.constexpr,
    RELU: tl.constexpr,
    ACC: tl.constexpr,
    R: tl.constexpr,
    BC: tl.constexpr,
) -> None:
    """R edges, one column of their mask: the product of message and gradient over the column's channels."""
    e = tl.program_id(0).to(tl.int64) * R + tl.arange(0, R)
    on = e < edges
    w = tl.program_id(1)
    s = e - e
    if not ONE_NODE:
        s = tl.load(source + e, mask=on, other=0)
    t = tl.load(target + e, mask=on, other=0)
    total = tl.zeros((R, BC), dtype=ACC)
    for first in range(0, GROUP, BC):
        offset = first + tl.arange(0, BC)
        c = w * GROUP + offset
        tile = on[:, None] & (offset < GROUP)[None, :]
        m = activate(message(node, edge, s, e, c, tile, C, ACC), RELU)
        if norm is not None:
            m -= rows(out, t, c, tile, C, ACC)
        g = arriving(grad_out, norm, arg, t, e, c, on, tile, C, W, GROUP, ACC)
        total += masked_product(g, m, arg)
    tl.store(grad_mask + e * W + w, tl.sum(total, axis=1).to(grad_mask.dtype.element_ty), mask=on)
