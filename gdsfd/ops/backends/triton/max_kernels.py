"""Maxima, with the number of the edge that was taken: of equal messages the first in the graph's order."""

from __future__ import annotations

import triton
import triton.language as tl

from gdsfd.ops.backends.triton.message import activate, load_weight, message

__all__ = ["combine_maxima", "slice_max", "walk_max"]


@triton.jit
def walk_max(
    node: tl.tensor,
    edge: tl.tensor,
    mask: tl.tensor,
    order: tl.tensor,
    ptr: tl.tensor,
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
    R: tl.constexpr,
    BC: tl.constexpr,
) -> None:
    """As ``walk_sum``; an owner's edges come in ascending number."""
    i = tl.program_id(0).to(tl.int64) * R + tl.arange(0, R)
    live = i < owners
    c = tl.program_id(1) * BC + tl.arange(0, BC)
    start = tl.load(ptr + i, mask=live, other=0)
    degree = tl.load(ptr + i + 1, mask=live, other=0) - start
    best = tl.zeros((R, BC), dtype=ACC)
    taken = tl.full((R, BC), -1, dtype=tl.int64)
    for j in range(0, tl.max(degree, axis=0)):
        on = j < degree
        tile = on[:, None] & (c < C)[None, :]
        e = tl.load(order + start + j, mask=on, other=0)
        s = e
        if ONE_NODE:
            s = e - e
        elif node is not None:
            s = tl.load(source + e, mask=on, other=0)
        v, valid = candidate(node, edge, mask, s, e, c, on, tile, C, W, GROUP, RELU, ACC)
        take = valid & better(v, best, taken)
        best = tl.where(take, v, best)
        taken = tl.where(take, e[:, None], taken)
    tile = live[:, None] & (c < C)[None, :]
    at = i[:, None] * C + c[None, :]
    taken = tl.where(best != best, -1, taken)  # a NaN has no gradient
    tl.store(out + at, best.to(out.dtype.element_ty), mask=tile)
    tl.store(arg + at, taken.to(arg.dtype.element_ty), mask=tile)


@triton.jit
def slice_max(
    node: tl.tensor,
    edge: tl.tensor,
    mask: tl.tensor,
    starts: tl.tensor,
    stops: tl.tensor,
    source: tl.tensor,
    partial: tl.tensor,
    partial_arg: tl.tensor,
    C: tl.constexpr,
    W: tl.constexpr,
    GROUP: tl.constexpr,
    ONE_NODE: tl.constexpr,
    RELU: tl.constexpr,
    ACC: tl.constexpr,
    R: tl.constexpr,
    BC: tl.constexpr,
) -> None:
    """First stage, as ``slice_sum``."""
    piece = tl.program_id(0).to(tl.int64)
    c = tl.program_id(1) * BC + tl.arange(0, BC)
    start = tl.load(starts + piece)
    stop = tl.load(stops + piece)
    best = tl.zeros((R, BC), dtype=ACC)
    taken = tl.full((R, BC), -1, dtype=tl.int64)
    for j in range(0, tl.cdiv(stop - start, R)):
        e = start + j * R + tl.arange(0, R)
        on = e < stop
        tile = on[:, None] & (c < C)[None, :]
        s = e
        if ONE_NODE:
            s = e - e
        elif node is not None:
            s = tl.load(source + e, mask=on, other=0)
        v, valid = candidate(node, edge, mask, s, e, c, on, tile, C, W, GROUP, RELU, ACC)
        take = valid & better(v, best, taken)
        best = tl.where(take, v, best)
        taken = tl.where(take, e[:, None], taken)
    top, first = first_of_rows(best, taken)
    tl.store(partial + piece * C + c, top, mask=c < C)
    tl.store(partial_arg + piece * C + c, first, mask=c < C)


@triton.jit
def combine_maxima(
    partial: tl.tensor,
    partial_arg: tl.tensor,
    piece_ptr: tl.tensor,
    out: tl.tensor,
    arg: tl.tensor,
    C: tl.constexpr,
    ACC: tl.constexpr,
    R: tl.constexpr,
    BC: tl.constexpr,
) -> None:
    """Second stage, as ``combine_sums``."""
    k = tl.program_id(0).to(tl.int64)
    c = tl.program_id(1) * BC + tl.arange(0, BC)
    start = tl.load(piece_ptr + k)
    stop = tl.load(piece_ptr + k + 1)
    best = tl.zeros((R, BC), dtype=ACC)
    taken = tl.full((R, BC), -1, dtype=tl.int64)
    for j in range(0, tl.cdiv(stop - start, R)):
        p = start + j * R + tl.arange(0, R)
        tile = (p < stop)[:, None] & (c < C)[None, :]
        at = p[:, None] * C + c[None, :]
        v = tl.load(partial + at, mask=tile, other=0.0)
        number = tl.load(partial_arg + at, mask=tile, other=-1)
        take = (number >= 0) & better(v, best, taken)
        best = tl.where(take, v, best)
        taken = tl.where(take, number, taken)
    top, first = first_of_rows(best, taken)
    first = tl.where(top != top, -1, first)
    tl.store(out + k * C + c, top.to(out.dtype.element_ty), mask=c < C)
    tl.store(arg + k * C + c, first.to(arg.dtype.element_ty), mask=c < C)


@triton.jit
def candidate(
    node: tl.tensor,
    edge: tl.tensor,
    mask: tl.tensor,
    s: tl.tensor,
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
    """The weighted messages of a tile, and which of them count: mask > 0, or NaN."""
    v = activate(message(node, edge, s, e, c, tile, C, ACC), RELU)
    valid = tile
    if mask is not None:
        a = load_weight(mask, e, c, on, tile, W, GROUP, ACC)
        v *= a
        valid = tile & ((a > 0) | (a != a))
    return v, valid


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
