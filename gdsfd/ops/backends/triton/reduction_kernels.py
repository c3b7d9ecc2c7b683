"""Forward reductions: sums, means, and maxima with the number of the edge that was taken.

Each kernel serves three stages. Patients are ``WHOLE``: a walk gives the result. A hub's slice is cut into chunks:
``PARTS`` reduces each chunk, ``COMBINED`` the chunks of each hub, which it reads as if they were edges.
"""

from __future__ import annotations

import triton
import triton.language as tl

from gdsfd.ops.backends.triton.message import activate, edges_at, load_weight, message, normalised, share, source_of

__all__ = ["COMBINED", "PARTS", "WHOLE", "add_up", "take_largest"]

WHOLE, PARTS, COMBINED = tl.constexpr(0), tl.constexpr(1), tl.constexpr(2)


@triton.jit
def add_up(
    node: tl.tensor,
    edge: tl.tensor,
    mask: tl.tensor,  # COMBINED: the chunks' sums of weights
    order: tl.tensor,
    starts: tl.tensor,
    stops: tl.tensor,
    source: tl.tensor,
    out: tl.tensor,
    norm: tl.tensor,  # None: a sum
    owners: tl.tensor,
    C: tl.constexpr,
    W: tl.constexpr,
    GROUP: tl.constexpr,
    ONE_NODE: tl.constexpr,
    RELU: tl.constexpr,
    ACC: tl.constexpr,
    STAGE: tl.constexpr,
    R: tl.constexpr,
    BC: tl.constexpr,
    BW: tl.constexpr,
) -> None:
    """Weighted sums of messages; with ``norm`` the sums of their weights too, by which results are divided."""
    i, live, first, last, steps = share(order, starts, stops, owners, R)
    c = tl.program_id(1) * BC + tl.arange(0, BC)
    total = tl.zeros((R, BC), dtype=ACC)
    weight = tl.zeros((R, BW), dtype=ACC)
    for j in range(0, steps):
        e, on = edges_at(order, first, last, j, R)
        tile = on[:, None] & (c < C)[None, :]
        s = source_of(node, source, e, on, ONE_NODE)
        a = load_weight(mask, e, c, on, tile, W, GROUP, ACC)
        m = activate(message(node, edge, s, e, c, tile, C, ACC), RELU)
        if mask is not None and STAGE != COMBINED:
            m *= a
        total += m
        weight += a
    if order is None:
        total = tl.sum(total, axis=0)[None, :]
        weight = tl.sum(weight, axis=0)[None, :]
    if norm is not None:
        if STAGE != PARTS:
            total = normalised(total, weight)
        store_weight(norm, weight, i, c, live, C, W, GROUP)
    tile = live[:, None] & (c < C)[None, :]
    tl.store(out + i[:, None] * C + c[None, :], total.to(out.dtype.element_ty), mask=tile)


@triton.jit
def take_largest(
    node: tl.tensor,
    edge: tl.tensor,
    mask: tl.tensor,
    number: tl.tensor,  # COMBINED: the edges that the chunks took; else None
    order: tl.tensor,
    starts: tl.tensor,
    stops: tl.tensor,
    source: tl.tensor,
    out: tl.tensor,
    arg: tl.tensor,
    owners: tl.tensor,
    C: tl.constexpr,
    W: tl.constexpr,
    GROUP: tl.constexpr,
    ONE_NODE: tl.constexpr,
    RELU: tl.constexpr,
    ACC: tl.constexpr,
    STAGE: tl.constexpr,
    R: tl.constexpr,
    BC: tl.constexpr,
) -> None:
    """Largest weighted message of mask > 0 (or NaN), and its edge's number, -1 if none; of equal ones the first edge's.

    An owner's edges come in ascending number in every stage.
    """
    i, live, first, last, steps = share(order, starts, stops, owners, R)
    c = tl.program_id(1) * BC + tl.arange(0, BC)
    best = tl.zeros((R, BC), dtype=ACC)
    taken = tl.full((R, BC), -1, dtype=tl.int64)
    for j in range(0, steps):
        e, on = edges_at(order, first, last, j, R)
        tile = on[:, None] & (c < C)[None, :]
        s = source_of(node, source, e, on, ONE_NODE)
        v = activate(message(node, edge, s, e, c, tile, C, ACC), RELU)
        if STAGE == COMBINED:
            n = tl.load(number + e[:, None] * C + c[None, :], mask=tile, other=-1)
            valid = n >= 0
        else:
            n = e[:, None]
            valid = tile
            if mask is not None:
                a = load_weight(mask, e, c, on, tile, W, GROUP, ACC)
                v *= a
                valid = tile & ((a > 0) | (a != a))
        take = valid & better(v, best, taken)
        best = tl.where(take, v, best)
        taken = tl.where(take, n, taken)
    if order is None:
        top, top_edge = first_of_rows(best, taken)
        best = top[None, :]
        taken = top_edge[None, :]
    if STAGE != PARTS:
        taken = tl.where(best != best, -1, taken)  # a NaN has no gradient
    tile = live[:, None] & (c < C)[None, :]
    at = i[:, None] * C + c[None, :]
    tl.store(out + at, best.to(out.dtype.element_ty), mask=tile)
    tl.store(arg + at, taken.to(arg.dtype.element_ty), mask=tile)


@triton.jit
def store_weight(
    base: tl.tensor,
    weight: tl.tensor,
    i: tl.tensor,
    c: tl.tensor,
    live: tl.tensor,
    C: tl.constexpr,
    W: tl.constexpr,
    GROUP: tl.constexpr,
) -> None:
    """Rows ``i`` of a [*, W] tensor; every column once, by the first channel of its group."""
    if W == 1:
        w = tl.program_id(1) + tl.arange(0, 1)  # only the first block of channels stores
        tl.store(base + i[:, None] + w[None, :], weight, mask=live[:, None] & (w < 1)[None, :])
    else:
        first = (c < C) & (c % GROUP == 0)
        tl.store(base + i[:, None] * W + (c // GROUP)[None, :], weight, mask=live[:, None] & first[None, :])


@triton.jit
def better(v: tl.tensor, best: tl.tensor, taken: tl.tensor) -> tl.tensor:
    """Whether ``v`` replaces ``best``: there is none yet, it is smaller, or v is the first NaN."""
    return (taken < 0) | (v > best) | ((v != v) & (best == best))


@triton.jit
def first_of_rows(best: tl.tensor, taken: tl.tensor) -> tl.tensor:
    """Maximum over the rows of a tile; of equal ones the smallest edge number, -1 if there is none. NaN wins."""
    none: tl.constexpr = 2**62
    number = tl.where(taken < 0, none, taken)
    nan = (best != best) & (taken >= 0)
    top = tl.max(tl.where(nan | (taken < 0), -float("inf"), best), axis=0)
    first = tl.min(tl.where(best == top[None, :], number, none), axis=0)
    first_nan = tl.min(tl.where(nan, number, none), axis=0)
    value = tl.where(first_nan < none, float("nan"), tl.where(first < none, top, 0.0))
    chosen = tl.where(first_nan < none, first_nan, first)
    return value, tl.where(chosen < none, chosen, -1)
