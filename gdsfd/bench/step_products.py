"""Lower bound of a training step of ``muse`` with contrastive views: its matrix products alone."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn import functional as F

from gdsfd.bench.cohort_graph import FEATURES
from gdsfd.bench.problem import Shape

__all__ = ["step_flops", "step_maps", "step_products"]

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
