"""Lower bounds of a training step, of ``muse`` with contrastive views and of two streams: the matrix products alone."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn import functional as F

from gdsfd.bench.cohort_graph import FEATURES
from gdsfd.bench.problem import Shape

__all__ = ["step_flops", "step_maps", "step_products", "stream_maps", "stream_products"]

_BACKWARD = 3  # products of [B, B] with [B, d] in the contrastive losses' gradient


def step_maps(shape: Shape, batch_size: int, edge_drop: float) -> list[tuple[int, int, bool]]:
    """The linear maps of a forward pass over both views: rows, components of each, whether the rows have gradients.

    Linear maps are split, patients start alike, tokens of both views are mapped once in the first layer, and what
    happens to the few modalities is left out.

    Args:
        shape: The sizes.
        batch_size: Patients B.
        edge_drop: Share of the edges that the second view lacks.
    """
    width = shape.channels
    edges = round(batch_size * shape.modalities * shape.density)
    each, both = max(edges // shape.modalities, 1), round(edges * (2 - edge_drop))
    maps = [(each, FEATURES, False), (each, width, True), (each, width, True)] * shape.modalities
    for layer in range(shape.layers):
        tokens = edges if layer == 0 else both
        maps += [(tokens, width, True), (2 * batch_size, width, True)]  # edges to messages, messages to patients
        if layer:
            maps.append((2 * batch_size, width, True))  # patients kept
        if layer < shape.layers - 1:
            maps += [(tokens, width, True), (2 * batch_size, width, True)]  # edges and patients to edges
            maps += [(2 * batch_size, width, True)] * (layer > 0)  # patients to messages toward the modalities
    return [*maps, (2 * batch_size, width, True)]  # projection


def step_flops(shape: Shape, batch_size: int, edge_drop: float) -> int:
    """Multiplications and additions of these products, forward and backward."""
    maps = step_maps(shape, batch_size, edge_drop)
    mapped = sum(rows * inner * (3 if moves else 2) for rows, inner, moves in maps)
    return 2 * shape.channels * (mapped + batch_size**2 * (2 + _BACKWARD))


def step_products(shape: Shape, batch_size: int, edge_drop: float) -> Callable[[], None]:
    """A function that does these products, forward and backward, by torch's kernel, and nothing else.

    Args:
        shape: The sizes.
        batch_size: Patients B.
        edge_drop: Share of the edges that the second view lacks.
    """
    maps = step_maps(shape, batch_size, edge_drop)
    width, kind = shape.channels, shape.torch_dtype
    tables = {(rows, wide): torch.ones(rows, wide, dtype=kind) for rows, inner, _ in maps for wide in (inner, width)}
    weights = {inner: torch.ones(width, inner, dtype=kind) for _, inner, _ in maps}
    view, pairs = torch.ones(batch_size, width, dtype=kind), torch.ones(batch_size, batch_size, dtype=kind)

    def call() -> None:
        for rows, inner, moves in maps:
            given, gradient = tables[rows, inner], tables[rows, width]
            F.linear(given, weights[inner])
            torch.mm(gradient.t(), given)
            if moves:
                F.linear(gradient, weights[inner].t())
        for _ in range(2):
            F.linear(view, view)
        for _ in range(_BACKWARD):
            F.linear(pairs, view.t())

    return call


def stream_maps(shape: Shape, batch_size: int, edge_drop: float) -> list[tuple[int, int, int, bool]]:
    """The same of two streams on ``muse``: rows, components in and out of each map, whether the rows have gradients.

    Each stream hides edges of its own. The dependence between codes within classes counts as one map of the patients:
    a product of the codes, and two for its gradient. Heads are left out.

    Args:
        shape: The sizes.
        batch_size: Patients B.
        edge_drop: Share of the edges that each stream lacks.
    """
    width = shape.channels
    edges = round(batch_size * shape.modalities * shape.density)
    each, kept = max(edges // shape.modalities, 1), round(edges * (1 - edge_drop))
    maps = [(each, FEATURES, width, False), *[(each, width, width, True)] * 2] * shape.modalities
    maps += [(edges, width, max(width // 2, 1), True), (edges, max(width // 2, 1), width, True)]  # the mask
    for _ in range(2):
        for layer in range(shape.layers):
            maps += [(kept, width, width, True), (batch_size, width, width, True)]  # edges to messages, to patients
            if layer:
                maps.append((batch_size, width, width, True))  # patients kept
            if layer < shape.layers - 1:
                maps += [(kept, width, width, True), (batch_size, width, width, True)]  # edges and patients to edges
                maps += [(batch_size, width, width, True)] * (layer > 0)  # patients to messages toward the modalities
    return [*maps, (batch_size, width, width, True)]


def stream_products(shape: Shape, batch_size: int, edge_drop: float) -> Callable[[], None]:
    """A function that does the products of :func:`stream_maps`, forward and backward, and nothing else.

    Args:
        shape: The sizes.
        batch_size: Patients B.
        edge_drop: Share of the edges that each stream lacks.
    """
    maps, kind = stream_maps(shape, batch_size, edge_drop), shape.torch_dtype
    widths = {(rows, wide) for rows, *ends, _ in maps for wide in ends}
    tables = {(rows, wide): torch.ones(rows, wide, dtype=kind) for rows, wide in widths}
    weights = {(into, out): torch.ones(out, into, dtype=kind) for _, into, out, _ in maps}

    def call() -> None:
        for rows, into, out, moves in maps:
            given, gradient = tables[rows, into], tables[rows, out]
            F.linear(given, weights[into, out])
            torch.mm(gradient.t(), given)
            if moves:
                F.linear(gradient, weights[into, out].t())

    return call
