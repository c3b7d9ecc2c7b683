"""What every kernel does with a tile of edges: which edges it visits, the message, its weight, and its way back.

A tile has R edges (rows) and BC channels (columns). ``e`` are edge numbers, ``s`` sources, ``t`` destinations, all
int64 [R]; ``c`` channels [BC]; ``on`` [R] and ``tile`` [R, BC] say which elements exist. What does not exist loads as 0
and is never stored. Offsets are int64 because e is, so E * C may pass 2^31.

Weights have W columns: 1 = a number per edge, C = one per channel, else one per head of GROUP adjacent channels.

``tl.tensor`` in a signature stands for pointers too, and for None, which a compiled kernel leaves out with all that
hangs on it. Other annotations are not an option: the compiler looks them up.
"""

from __future__ import annotations

import triton
import triton.language as tl

__all__ = ["activate", "edges_at", "gradient", "load_weight", "message", "normalised", "rows", "share", "source_of"]


@triton.jit
def share(order: tl.tensor, starts: tl.tensor, stops: tl.tensor, owners: tl.tensor, R: tl.constexpr) -> tl.tensor:
    """The edges that a program visits, in one of two ways.

    With ``order`` it *walks*: R owners side by side, each visiting its edges one after the other along the permutation,
    so that nothing has to be added up between threads. Without, it visits one *slice* of consecutive edges, R at a
    time, and its R rows are reduced at the end.

    Args:
        order: Permutation that sorts the edges by owner; None = slices.
        starts: Where each owner's or slice's edges start.
        stops: Where they stop; None = where the next one's start.
        owners: How many there are (walks).
        R: Rows of a tile.

    Returns:
        Rows of the results, int64 [R] or [1]; which of them exist; where each row's edges (the slice) start; how many
        each has (where the slice stops); steps.
    """
    if order is None:
        i = tl.program_id(0).to(tl.int64) + tl.zeros((1,), dtype=tl.int64)
        live = i >= 0
        at = tl.program_id(0).to(tl.int64)
        start = tl.load(starts + at)
        if stops is None:
            stop = tl.load(starts + at + 1)
        else:
            stop = tl.load(stops + at)
        first = start
        last = stop
        steps = tl.cdiv(stop - start, R)
    else:
        i = tl.program_id(0).to(tl.int64) * R + tl.arange(0, R)
        live = i < owners
        first = tl.load(starts + i, mask=live, other=0)
        last = tl.load(starts + i + 1, mask=live, other=0) - first
        steps = tl.max(last, axis=0)
    return i, live, first, last, steps


@triton.jit
def edges_at(order: tl.tensor, first: tl.tensor, last: tl.tensor, j: tl.tensor, R: tl.constexpr) -> tl.tensor:
    """Edge numbers of step ``j``, and which of them exist."""
    if order is None:
        e = first + j * R + tl.arange(0, R)
        on = e < last
    else:
        on = j < last
        e = tl.load(order + first + j, mask=on, other=0)
    return e, on


@triton.jit
def source_of(node: tl.tensor, source: tl.tensor, e: tl.tensor, on: tl.tensor, ONE_NODE: tl.constexpr) -> tl.tensor:
    """Rows of the node terms: one for all, or each edge's source; without node terms anything."""
    s = e
    if ONE_NODE:
        s = e - e
    elif node is not None:
        s = tl.load(source + e, mask=on, other=0)
    return s


@triton.jit
def rows(base: tl.tensor, r: tl.tensor, c: tl.tensor, tile: tl.tensor, C: tl.constexpr, ACC: tl.constexpr) -> tl.tensor:
    """Rows ``r`` of a [*, C] tensor, in the type that is calculated with; [R, BC]."""
    return tl.load(base + r[:, None] * C + c[None, :], mask=tile, other=0.0).to(ACC)


@triton.jit
def message(
    node: tl.tensor,
    edge: tl.tensor,
    s: tl.tensor,
    e: tl.tensor,
    c: tl.tensor,
    tile: tl.tensor,
    C: tl.constexpr,
    ACC: tl.constexpr,
) -> tl.tensor:
    """``node[s] + edge[e]`` before the activation; one of the two may be None."""
    if node is None:
        z = rows(edge, e, c, tile, C, ACC)
    else:
        z = rows(node, s, c, tile, C, ACC)
        if edge is not None:
            z += rows(edge, e, c, tile, C, ACC)
    return z


@triton.jit
def activate(z: tl.tensor, RELU: tl.constexpr) -> tl.tensor:
    """``where`` and not ``maximum``, which would turn NaN into 0 on a GPU."""
    if RELU:
        z = tl.where(z <= 0, 0.0, z)
    return z


@triton.jit
def load_weight(
    mask: tl.tensor,
    e: tl.tensor,
    c: tl.tensor,
    on: tl.tensor,
    tile: tl.tensor,
    W: tl.constexpr,
    GROUP: tl.constexpr,
    ACC: tl.constexpr,
) -> tl.tensor:
    """Weights of a tile; [R, 1] or [R, BC], 1 without a mask."""
    if mask is None:
        a = on.to(ACC)[:, None]
    elif W == 1:
        a = tl.load(mask + e, mask=on, other=0.0).to(ACC)[:, None]
    else:
        a = tl.load(mask + e[:, None] * W + (c // GROUP)[None, :], mask=tile, other=0.0).to(ACC)
    return a


@triton.jit
def normalised(total: tl.tensor, norm: tl.tensor) -> tl.tensor:
    """``total / norm``, 0 where the norm is."""
    return tl.where(norm == 0, 0.0, total / tl.where(norm == 0, 1.0, norm))


@triton.jit
def gradient(
    node: tl.tensor,
    edge: tl.tensor,
    mask: tl.tensor,
    grad_out: tl.tensor,
    out: tl.tensor,
    norm: tl.tensor,
    arg: tl.tensor,
    grad_edge: tl.tensor,
    grad_mask: tl.tensor,
    s: tl.tensor,
    t: tl.tensor,
    e: tl.tensor,
    c: tl.tensor,
    on: tl.tensor,
    tile: tl.tensor,
    C: tl.constexpr,
    W: tl.constexpr,
    GROUP: tl.constexpr,
    RELU: tl.constexpr,
    ACC: tl.constexpr,
) -> tl.tensor:
    """Gradient of the loss by ``node[s] + edge[e]``; the message is calculated anew.

    ``norm`` is None unless the reduction is a mean, ``arg`` (the edge taken) None unless it is a maximum. Stores the
    gradients of the edges and of a mask of C columns, unless their pointers are None.
    """
    z = message(node, edge, s, e, c, tile, C, ACC)
    g = arriving(grad_out, norm, arg, t, e, c, on, tile, C, W, GROUP, ACC)
    if grad_mask is not None:
        m = activate(z, RELU)
        if norm is not None:
            m -= rows(out, t, c, tile, C, ACC)
        at = grad_mask + e[:, None] * C + c[None, :]
        tl.store(at, masked_product(g, m, arg).to(grad_mask.dtype.element_ty), mask=tile)
    if mask is not None:
        g *= load_weight(mask, e, c, on, tile, W, GROUP, ACC)
    if RELU:
        g = tl.where(z <= 0, 0.0, g)
    if grad_edge is not None:
        tl.store(grad_edge + e[:, None] * C + c[None, :], g.to(grad_edge.dtype.element_ty), mask=tile)
    return g


@triton.jit
def arriving(
    grad_out: tl.tensor,
    norm: tl.tensor,
    arg: tl.tensor,
    t: tl.tensor,
    e: tl.tensor,
    c: tl.tensor,
    on: tl.tensor,
    tile: tl.tensor,
    C: tl.constexpr,
    W: tl.constexpr,
    GROUP: tl.constexpr,
    ACC: tl.constexpr,
) -> tl.tensor:
    """The destinations' gradient as each edge sees it: divided by the norm, or only where the edge was the maximum."""
    g = rows(grad_out, t, c, tile, C, ACC)
    if norm is not None:
        g = normalised(g, load_weight(norm, t, c, on, tile, W, GROUP, ACC))
    if arg is not None:
        taken = tl.load(arg + t[:, None] * C + c[None, :], mask=tile, other=-1)
        g = tl.where(taken == e[:, None], g, 0.0)
    return g


@triton.jit
def masked_product(g: tl.tensor, m: tl.tensor, arg: tl.tensor) -> tl.tensor:
    """``g * m``; with a maximum 0 for the edges not taken, also if their message is infinite."""
    product = g * m
    if arg is not None:
        product = tl.where(g == 0, 0.0, product)
    return product
