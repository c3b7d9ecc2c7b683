"""Lower bounds of an encoder's work: matrix products, floating-point operations, bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gdsfd.bench.problem import Shape

__all__ = ["Product", "aggregation_bytes", "bare_products", "encoder_bytes", "flops", "products"]


@dataclass(frozen=True)
class Product:
    """A linear map of some rows.

    Args:
        what: What is mapped.
        rows: Number of rows; each has d channels and becomes one of d channels.
    """

    what: str
    rows: int


def products(shape: Shape, edges: int) -> list[Product]:
    """The linear maps of one forward pass with split weights and constant patients folded: nothing is mapped twice.

    A backward pass has two products of the same size for each: one for the input's gradient, one for the weight's.

    Args:
        shape: The sizes.
        edges: Number of edges E.
    """
    found = []
    for layer in range(shape.layers):
        before = 1 if layer == 0 else shape.patients  # all patients start alike
        found += [Product("edges to messages", edges), Product("modalities to messages", shape.modalities)]
        found += [Product("patients to messages", before), Product("patients kept", before)]
        found += [Product("messages to patients", shape.patients)]
        found += [Product("messages to modalities", shape.modalities), Product("modalities kept", shape.modalities)]
        if layer < shape.layers - 1:
            found += [Product("edges to edges", edges), Product("patients to edges", shape.patients)]
            found += [Product("modalities to edges", shape.modalities)]
    return found


def flops(shape: Shape, edges: int, backward: bool) -> int:
    """Multiplications and additions of the unavoidable products."""
    rows = sum(product.rows for product in products(shape, edges))
    return 2 * rows * shape.channels**2 * (3 if backward else 1)


def bare_products(shape: Shape, edges: int, backward: bool, device: str = "cpu") -> Callable[[], None]:
    """A function that does the unavoidable products and nothing else.

    Results go into arrays that are there already: memory handed out by the kernel is no part of a product.

    Args:
        shape: The sizes.
        edges: Number of edges E.
        backward: Whether the two products of the backward pass are done too.
        device: ``cpu`` or ``cuda``.
    """
    rows = [product.rows for product in products(shape, edges)]
    like: dict[str, Any] = {"device": device, "dtype": shape.torch_dtype}
    given: dict[int, Tensor] = {number: torch.ones(number, shape.channels, **like) for number in set(rows)}
    results = {number: torch.empty_like(matrix) for number, matrix in given.items()}
    weight = torch.ones(shape.channels, shape.channels, **like)
    of_weight = torch.empty_like(weight)

    def call() -> None:
        for number in rows:
            torch.mm(given[number], weight.t(), out=results[number])
            if backward:
                torch.mm(given[number], weight, out=results[number])
                torch.mm(given[number].t(), given[number], out=of_weight)

    return call


def encoder_bytes(shape: Shape, edges: int, backward: bool) -> int:
    """Bytes that a pass has to move if each array is read or written once per operation that needs it.

    Per layer: the edge product reads and writes [E, d]; the aggregations read its result once for both directions; the
    edge update reads the edges for its product, writes the result, and reads it and the edges once more to write the
    new edges. Patient rows are counted likewise; indices are 8 bytes per edge and direction. A backward pass counts
    twice a forward one. The same count serves every contestant, so the rate says how well the machine is used for
    *this* work.
    """
    size = torch.empty(0, dtype=shape.torch_dtype).element_size()
    rows = 0
    for layer in range(shape.layers):
        rows += 3 * edges + 3 * shape.patients
        rows += (5 * edges + 2 * shape.patients) * (layer < shape.layers - 1)
    indices = 2 * 8 * edges * shape.layers
    return (rows * shape.channels * size + indices) * (3 if backward else 1)


def aggregation_bytes(edges: int, sources: int, targets: int, channels: int, size: int, backward: bool) -> int:
    """Bytes that one aggregation has to move.

    Forward reads the edge term, the source rows and one index per edge, and writes the destinations. Backward reads the
    same again with the destinations' gradient, and writes the gradients of the edge term and the sources.

    Args:
        edges: Number of edges E.
        sources: Rows of the node term.
        targets: Number of destinations.
        channels: Width C.
        size: Bytes of a number.
        backward: Whether the backward pass counts too.
    """
    forward = (edges + sources + targets) * channels * size + 8 * edges
    again = (2 * edges + 2 * sources + targets) * channels * size + 8 * edges
    return forward + again if backward else forward
