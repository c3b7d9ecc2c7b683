"""Gradients by recomputation: every edge is visited once, by the chunk or the node that owns its source."""

from __future__ import annotations

import triton
import triton.language as tl

from gdsfd.ops.backends.triton.message import (
    activate,
    arriving,
    edges_at,
    gradient,
    masked_product,
    message,
    rows,
    share,
    source_of,
)

__all__ = ["source_gradient", "weight_gradient"]


@triton.jit
def source_gradient(
    node: tl.tensor,
    edge: tl.tensor,
    mask: tl.tensor,
    grad_out: tl.tensor,
    out: tl.tensor,
    norm: tl.tensor,
    arg: tl.tensor,
    order: tl.tensor,
    starts: tl.tensor,
    stops: tl.tensor,
    source: tl.tensor,
    target: tl.tensor,
    grad_node: tl.tensor,  # of chunks: their sums, which add_up combines; None: not wanted
    grad_edge: tl.tensor,
    grad_mask: tl.tensor,
    owners: tl.tensor,
    C: tl.constexpr,
    W: tl.constexpr,
    GROUP: tl.constexpr,
    ONE_NODE: tl.constexpr,
    RELU: tl.constexpr,
    ACC: tl.constexpr,
    R: tl.constexpr,
    BC: tl.constexpr,
) -> None:
    """Source nodes walking their edges, or a chunk of a source's slice."""
    i, live, first, last, steps = share(order, starts, stops, owners, R)
    c = tl.program_id(1) * BC + tl.arange(0, BC)
    total = tl.zeros((R, BC), dtype=ACC)
    for j in range(0, steps):
        e, on = edges_at(order, first, last, j, R)
        tile = on[:, None] & (c < C)[None, :]
        if order is None:
            s = source_of(node, source, e, on, ONE_NODE)
        else:
            s = i
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
    if grad_node is not None:
        if order is None:
            total = tl.sum(total, axis=0)[None, :]
        tile = live[:, None] & (c < C)[None, :]
        tl.store(grad_node + i[:, None] * C + c[None, :], total.to(grad_node.dtype.element_ty), mask=tile)


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
    s = source_of(node, source, e, on, ONE_NODE)
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
