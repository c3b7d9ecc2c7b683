"""Sums and means: patients walk their edges, hubs add up slices in two stages."""

from __future__ import annotations

import triton
import triton.language as tl

from gdsfd.ops.backends.triton.message import activate, load_weight, message, normalised

__all__ = ["combine_sums", "slice_sum", "walk_sum"]


@triton.jit
def walk_sum(
    node: tl.tensor,
    edge: tl.tensor,
    mask: tl.tensor,
    order: tl.tensor,  # permutation that sorts the edges by owner
    ptr: tl.tensor,
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
    R: tl.constexpr,
    BC: tl.constexpr,
    BW: tl.constexpr,
) -> None:
    """R owners side by side, each adding its edges one after the other: no reduction between threads."""
    i = tl.program_id(0).to(tl.int64) * R + tl.arange(0, R)
    live = i < owners
    c = tl.program_id(1) * BC + tl.arange(0, BC)
    start = tl.load(ptr + i, mask=live, other=0)
    degree = tl.load(ptr + i + 1, mask=live, other=0) - start
    total = tl.zeros((R, BC), dtype=ACC)
    weight = tl.zeros((R, BW), dtype=ACC)
    for j in range(0, tl.max(degree, axis=0)):
        on = j < degree
        tile = on[:, None] & (c < C)[None, :]
        e = tl.load(order + start + j, mask=on, other=0)
        s = e
        if ONE_NODE:
            s = e - e
        elif node is not None:
            s = tl.load(source + e, mask=on, other=0)
        a = load_weight(mask, e, c, on, tile, W, GROUP, ACC)
        m = activate(message(node, edge, s, e, c, tile, C, ACC), RELU)
        if mask is not None:
            m *= a
        total += m
        weight += a
    if norm is not None:
        total = normalised(total, weight)
        store_weight(norm, weight, i, c, live, C, W, GROUP)
    tile = live[:, None] & (c < C)[None, :]
    tl.store(out + i[:, None] * C + c[None, :], total.to(out.dtype.element_ty), mask=tile)


@triton.jit
def slice_sum(
    node: tl.tensor,
    edge: tl.tensor,
    mask: tl.tensor,
    starts: tl.tensor,
    stops: tl.tensor,
    source: tl.tensor,
    partial: tl.tensor,  # [pieces, C]
    partial_weight: tl.tensor,  # [pieces, W]; None: a sum
    C: tl.constexpr,
    W: tl.constexpr,
    GROUP: tl.constexpr,
    ONE_NODE: tl.constexpr,
    RELU: tl.constexpr,
    ACC: tl.constexpr,
    R: tl.constexpr,
    BC: tl.constexpr,
    BW: tl.constexpr,
) -> None:
    """First stage: one piece of an owner's slice, R edges at a time."""
    piece = tl.program_id(0).to(tl.int64)
    c = tl.program_id(1) * BC + tl.arange(0, BC)
    start = tl.load(starts + piece)
    stop = tl.load(stops + piece)
    total = tl.zeros((R, BC), dtype=ACC)
    weight = tl.zeros((R, BW), dtype=ACC)
    for j in range(0, tl.cdiv(stop - start, R)):
        e = start + j * R + tl.arange(0, R)
        on = e < stop
        tile = on[:, None] & (c < C)[None, :]
        s = e
        if ONE_NODE:
            s = e - e
        elif node is not None:
            s = tl.load(source + e, mask=on, other=0)
        a = load_weight(mask, e, c, on, tile, W, GROUP, ACC)
        m = activate(message(node, edge, s, e, c, tile, C, ACC), RELU)
        if mask is not None:
            m *= a
        total += m
        weight += a
    tl.store(partial + piece * C + c, tl.sum(total, axis=0), mask=c < C)
    if partial_weight is not None:
        row = piece + tl.zeros((1,), dtype=tl.int64)
        store_weight(partial_weight, tl.sum(weight, axis=0)[None, :], row, c, row >= 0, C, W, GROUP)


@triton.jit
def combine_sums(
    partial: tl.tensor,
    partial_weight: tl.tensor,  # None: a sum
    piece_ptr: tl.tensor,  # the pieces of owner k are piece_ptr[k]:piece_ptr[k + 1]
    out: tl.tensor,
    norm: tl.tensor,
    C: tl.constexpr,
    W: tl.constexpr,
    GROUP: tl.constexpr,
    ACC: tl.constexpr,
    R: tl.constexpr,
    BC: tl.constexpr,
    BW: tl.constexpr,
) -> None:
    """Second stage: one owner's pieces."""
    k = tl.program_id(0).to(tl.int64)
    c = tl.program_id(1) * BC + tl.arange(0, BC)
    start = tl.load(piece_ptr + k)
    stop = tl.load(piece_ptr + k + 1)
    total = tl.zeros((R, BC), dtype=ACC)
    weight = tl.zeros((R, BW), dtype=ACC)
    for j in range(0, tl.cdiv(stop - start, R)):
        p = start + j * R + tl.arange(0, R)
        on = p < stop
        tile = on[:, None] & (c < C)[None, :]
        total += tl.load(partial + p[:, None] * C + c[None, :], mask=tile, other=0.0)
        if partial_weight is not None:
            weight += load_weight(partial_weight, p, c, on, tile, W, GROUP, ACC)
    result = tl.sum(total, axis=0)[None, :]
    row = k + tl.zeros((1,), dtype=tl.int64)
    if partial_weight is not None:
        shared = tl.sum(weight, axis=0)[None, :]
        result = normalised(result, shared)
        store_weight(norm, shared, row, c, row >= 0, C, W, GROUP)
    at = out + row[:, None] * C + c[None, :]
    tl.store(at, result.to(out.dtype.element_ty), mask=(row >= 0)[:, None] & (c < C)[None, :])


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
