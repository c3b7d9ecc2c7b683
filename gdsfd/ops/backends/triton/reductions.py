"""Launches of the forward kernels."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gdsfd.ops.backends.composition import other
from gdsfd.ops.backends.triton.chunks import Chunks, chunks_of_hubs
from gdsfd.ops.backends.triton.reduction_kernels import COMBINED, PARTS, WHOLE, add_up, take_largest
from gdsfd.ops.backends.triton.tiles import Tiles, accumulator
from gdsfd.ops.bipartite import Bipartite, Side

__all__ = ["add_chunks", "add_rows", "constants", "largest", "one_of", "partial_sums", "total"]


def total(
    node: Tensor | None,
    edge: Tensor | None,
    mask: Tensor | None,
    graph: Bipartite,
    toward: Side,
    relu: bool,
    mean: bool = False,
    exact: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """Sums or means [D, C], and with means the sums of the weights [D, W] (number of edges without a mask).

    ``exact`` leaves the former in the type that is calculated with.
    """
    like = one_of(node, edge)
    channels, owners = like.size(1), graph.num_nodes(toward)
    sizes = constants(node, like, mask, relu, graph.num_nodes(other(toward)))
    width = {"BW": 1 if sizes["W"] == 1 else Tiles(channels).block}
    dtype = accumulator(like)[0]
    out = like.new_empty(owners, channels, dtype=dtype if exact else like.dtype)
    norm = like.new_empty(owners, sizes["W"], dtype=dtype) if mean else None
    if not graph.num_edges or not out.numel():
        return out.zero_(), None if norm is None else norm.zero_()
    with torch.cuda.device_of(like):
        if toward == "left":
            tiles = Tiles(channels, owners)
            add_up[tiles.over(owners)](
                node, edge, mask, graph.by_left, graph.left_ptr, None, graph.right, out, norm, owners,
                **sizes, **width, STAGE=WHOLE.value, **tiles.sizes(), num_warps=4,
            )  # fmt: skip
        else:
            chunks, tiles = chunks_of_hubs(graph), Tiles(channels)
            partial = partial_sums(chunks, like)
            weight = like.new_empty(chunks.count, sizes["W"], dtype=dtype) if mean else None
            add_up[(chunks.count, tiles.blocks)](
                node, edge, mask, None, chunks.starts, chunks.stops, graph.left, partial, weight, chunks.count,
                **sizes, **width, STAGE=PARTS.value, **tiles.sizes(), num_warps=4,
            )  # fmt: skip
            add_chunks(partial, chunks, out, weight, norm)
    return out, norm


def largest(
    node: Tensor | None, edge: Tensor | None, mask: Tensor | None, graph: Bipartite, toward: Side, relu: bool
) -> tuple[Tensor, Tensor]:
    """Maxima [D, C], and the number of the edge that each is from, -1 if from none."""
    like = one_of(node, edge)
    channels, owners = like.size(1), graph.num_nodes(toward)
    sizes = constants(node, like, mask, relu, graph.num_nodes(other(toward)))
    out = like.new_empty(owners, channels)
    arg = torch.empty_like(out, dtype=torch.int32 if graph.num_edges < 2**31 else torch.int64)
    if not graph.num_edges or not out.numel():
        return out.zero_(), arg.fill_(-1)
    with torch.cuda.device_of(like):
        if toward == "left":
            tiles = Tiles(channels, owners)
            take_largest[tiles.over(owners)](
                node, edge, mask, None, graph.by_left, graph.left_ptr, None, graph.right, out, arg, owners,
                **sizes, STAGE=WHOLE.value, **tiles.sizes(), num_warps=4,
            )  # fmt: skip
        else:
            chunks, tiles = chunks_of_hubs(graph), Tiles(channels)
            partial = partial_sums(chunks, like)
            number = torch.empty_like(partial, dtype=torch.int64)
            take_largest[(chunks.count, tiles.blocks)](
                node, edge, mask, None, None, chunks.starts, chunks.stops, graph.left, partial, number, chunks.count,
                **sizes, STAGE=PARTS.value, **tiles.sizes(), num_warps=4,
            )  # fmt: skip
            take_largest[(owners, tiles.blocks)](
                None, partial, None, number, None, chunks.ptr, None, None, out, arg, owners,
                **constants(None, partial, None, False, 0), STAGE=COMBINED.value, **tiles.sizes(), num_warps=4,
            )  # fmt: skip
    return out, arg


def add_chunks(
    partial: Tensor, chunks: Chunks, out: Tensor, weight: Tensor | None = None, norm: Tensor | None = None
) -> None:
    """Second stage: adds up each owner's chunks into ``out``; with weights their sums into ``norm``, and divides."""
    sizes, tiles = constants(None, partial, weight, False, 0), Tiles(out.size(1))
    add_up[(chunks.owners, tiles.blocks)](
        None, partial, weight, None, chunks.ptr, None, None, out, norm, chunks.owners,
        **sizes, BW=1 if sizes["W"] == 1 else tiles.block, STAGE=COMBINED.value, **tiles.sizes(), num_warps=4,
    )  # fmt: skip


def add_rows(values: Tensor, chunks: Chunks) -> Tensor:
    """Sums of consecutive rows of values [E, C], a sum per owner of the chunks; [owners, C]."""
    tiles, out = Tiles(values.size(1)), values.new_empty(chunks.owners, values.size(1))
    partial = partial_sums(chunks, values)
    with torch.cuda.device_of(values):
        add_up[(chunks.count, tiles.blocks)](
            None, values, None, None, chunks.starts, chunks.stops, None, partial, None, chunks.count,
            **constants(None, values, None, False, 0), BW=1, STAGE=PARTS.value, **tiles.sizes(), num_warps=4,
        )  # fmt: skip
        add_chunks(partial, chunks, out)
    return out


def one_of(node: Tensor | None, edge: Tensor | None) -> Tensor:
    """Whichever of the two there is."""
    tensor = node if node is not None else edge
    assert tensor is not None
    return tensor


def partial_sums(chunks: Chunks, like: Tensor) -> Tensor:
    """Room for the first stage's results."""
    return like.new_empty(chunks.count, like.size(1), dtype=accumulator(like)[0])


def constants(node: Tensor | None, like: Tensor, mask: Tensor | None, relu: bool, sources: int) -> dict[str, Any]:
    """Arguments of a kernel that it is compiled for."""
    columns = 1 if mask is None else mask.size(1)
    return {
        "C": like.size(1),
        "W": columns,
        "GROUP": like.size(1) // columns,
        "ONE_NODE": node is not None and node.size(0) == 1 and sources != 1,
        "RELU": relu,
        "ACC": accumulator(like)[1],
    }
