"""Launches of the forward kernels."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gdsfd.ops.backends.composition import other
from gdsfd.ops.backends.triton.max_kernels import combine_maxima, slice_max, walk_max
from gdsfd.ops.backends.triton.pieces import Pieces, pieces_of_hubs
from gdsfd.ops.backends.triton.sum_kernels import combine_sums, slice_sum, walk_sum
from gdsfd.ops.backends.triton.tiles import Tiles, accumulator
from gdsfd.ops.bipartite import Bipartite, Side

__all__ = ["add_pieces", "add_rows", "constants", "largest", "one_of", "partial_sums", "total"]


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
            walk_sum[tiles.over(owners)](
                node, edge, mask, graph.by_left, graph.left_ptr, graph.right, out, norm, owners,
                **sizes, **width, **tiles.sizes(), num_warps=4,
            )  # fmt: skip
        else:
            pieces, tiles = pieces_of_hubs(graph), Tiles(channels)
            partial = partial_sums(pieces, like)
            weight = like.new_empty(pieces.count, sizes["W"], dtype=dtype) if mean else None
            slice_sum[(pieces.count, tiles.blocks)](
                node, edge, mask, pieces.starts, pieces.stops, graph.left, partial, weight,
                **sizes, **width, **tiles.sizes(), num_warps=4,
            )  # fmt: skip
            add_pieces(partial, pieces, out, weight, norm)
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
            walk_max[tiles.over(owners)](
                node, edge, mask, graph.by_left, graph.left_ptr, graph.right, out, arg, owners,
                **sizes, **tiles.sizes(), num_warps=4,
            )  # fmt: skip
        else:
            pieces, tiles = pieces_of_hubs(graph), Tiles(channels)
            partial = partial_sums(pieces, like)
            partial_arg = torch.empty_like(partial, dtype=torch.int64)
            slice_max[(pieces.count, tiles.blocks)](
                node, edge, mask, pieces.starts, pieces.stops, graph.left, partial, partial_arg,
                **sizes, **tiles.sizes(), num_warps=4,
            )  # fmt: skip
            combine_maxima[(owners, tiles.blocks)](
                partial, partial_arg, pieces.ptr, out, arg,
                C=channels, ACC=sizes["ACC"], **tiles.sizes(), num_warps=4,
            )  # fmt: skip
    return out, arg


def add_pieces(
    partial: Tensor, pieces: Pieces, out: Tensor, weight: Tensor | None = None, norm: Tensor | None = None
) -> None:
    """Second stage: adds up each owner's pieces into ``out``; with weights their sums into ``norm``, and divides."""
    channels = out.size(1)
    columns = 1 if weight is None else weight.size(1)
    tiles = Tiles(channels)
    combine_sums[(pieces.owners, tiles.blocks)](
        partial, weight, pieces.ptr, out, norm,
        C=channels, W=columns, GROUP=channels // columns, ACC=accumulator(out)[1],
        BW=1 if columns == 1 else tiles.block, **tiles.sizes(), num_warps=4,
    )  # fmt: skip


def add_rows(values: Tensor, pieces: Pieces) -> Tensor:
    """Sums of consecutive rows of values [E, C], a sum per owner of the pieces; [owners, C]."""
    tiles, out = Tiles(values.size(1)), values.new_empty(pieces.owners, values.size(1))
    partial = partial_sums(pieces, values)
    with torch.cuda.device_of(values):
        slice_sum[(pieces.count, tiles.blocks)](
            None, values, None, pieces.starts, pieces.stops, None, partial, None,
            **constants(None, values, None, False, 0), BW=1, **tiles.sizes(), num_warps=4,
        )  # fmt: skip
        add_pieces(partial, pieces, out)
    return out


def one_of(node: Tensor | None, edge: Tensor | None) -> Tensor:
    """Whichever of the two there is."""
    tensor = node if node is not None else edge
    assert tensor is not None
    return tensor


def partial_sums(pieces: Pieces, like: Tensor) -> Tensor:
    """Room for the first stage's results."""
    return like.new_empty(pieces.count, like.size(1), dtype=accumulator(like)[0])


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
