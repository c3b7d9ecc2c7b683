"""Benchmark problems: sizes, and random graphs of those sizes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import Any

import torch
from torch import Tensor

from gdsfd.errors import InputError, near_names
from gdsfd.graph.edge_layout import EdgeLayout

__all__ = ["DTYPES", "Problem", "Shape", "make_problem", "random_layout", "shapes_of"]

DTYPES: dict[str, torch.dtype] = {"float32": torch.float32, "float64": torch.float64, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class Shape:
    """What a graph and an encoder on it look like.

    Args:
        patients: Number of patients N.
        modalities: Number of hubs K: modalities, or features of a feature-level graph.
        density: Probability that a patient has a modality, in (0, 1].
        channels: Width d of nodes and edges.
        layers: Message-passing layers.
        dtype: Name of the number type of tokens and weights.
    """

    patients: int = 20_000
    modalities: int = 5
    density: float = 0.6
    channels: int = 128
    layers: int = 2
    dtype: str = "float32"

    def __post_init__(self) -> None:
        for name in ("patients", "modalities", "channels", "layers"):
            if getattr(self, name) < 1:
                raise InputError(f"--{name}: expected at least 1, got {getattr(self, name)}")
        if not 0 < self.density <= 1:
            raise InputError(f"--density: expected a number above 0 and at most 1, got {self.density}")
        if self.dtype not in DTYPES:
            raise InputError(f"--dtype: unknown {self.dtype!r}.{near_names(self.dtype, DTYPES)}")

    @property
    def torch_dtype(self) -> torch.dtype:
        """The number type itself."""
        return DTYPES[self.dtype]

    @property
    def edges(self) -> int:
        """Expected number of edges."""
        return round(self.patients * self.modalities * self.density)

    def smaller(self, numbers: float, dtype: str | None = None) -> Shape:
        """The same shape with as many patients as keep an edge tensor below a size.

        Args:
            numbers: Most numbers in a tensor [E, d].
            dtype: Another number type.
        """
        each = self.modalities * self.density * self.channels
        patients = max(1, min(self.patients, int(numbers / each)))
        return replace(self, patients=patients, dtype=dtype or self.dtype)

    def to_dict(self) -> dict[str, Any]:
        """The sizes as a line of results stores them, without the number type, which has its own field."""
        return {key: value for key, value in asdict(self).items() if key != "dtype"}

    def __str__(self) -> str:
        size = f"{self.patients:,} patients x {self.modalities}, density {self.density:g}"
        return f"{size}, {self.channels} channels, {self.layers} layer{'s' * (self.layers > 1)}, {self.dtype}"


def shapes_of(**values: list[Any] | None) -> Iterator[Shape]:
    """All combinations of the values given; what is None keeps the default.

    Example:
        >>> [shape.patients for shape in shapes_of(patients=[10, 20], density=None)]
        [10, 20]
    """
    given = {name: list(chosen) for name, chosen in values.items() if chosen}
    for combination in product(*given.values()):
        yield Shape(**dict(zip(given, combination)))


def random_layout(shape: Shape, generator: torch.Generator) -> EdgeLayout:
    """A graph in which every patient has every modality with the same probability.

    Drawn modality by modality, so that a million patients need no [N, K] table of random numbers.
    """
    owners = [
        (torch.rand(shape.patients, generator=generator) < shape.density).nonzero().squeeze(1)
        for _ in range(shape.modalities)
    ]
    return EdgeLayout.from_lists(owners, shape.patients)


@dataclass(eq=False)
class Problem:
    """A graph, tokens on its edges, and a gradient for each output.

    Args:
        shape: The sizes.
        layout: The edges.
        tokens: float [E, d]; asks for a gradient.
        patient_grad: Gradient of the loss with respect to the patients' output, [N, d].
        modality_grad: The same for the modalities' output, [K, d].
    """

    shape: Shape
    layout: EdgeLayout
    tokens: Tensor
    patient_grad: Tensor
    modality_grad: Tensor


def make_problem(shape: Shape, seed: int, device: str = "cpu", backward: bool = True) -> Problem:
    """Draws a problem; the same numbers for the same shape and seed, on every device.

    Args:
        shape: The sizes.
        seed: Of the random numbers.
        device: Where the tensors go.
        backward: Whether gradients are going to be asked for; without, the gradients of the outputs are empty.
    """
    generator = torch.Generator().manual_seed(seed)
    layout = random_layout(shape, generator)
    like: dict[str, Any] = {"generator": generator, "dtype": torch.float32}

    def to_device(tensor: Tensor) -> Tensor:
        return tensor.to(device=device, dtype=shape.torch_dtype)

    tokens = to_device(torch.randn(layout.num_edges, shape.channels, **like)).requires_grad_(backward)
    rows = (shape.patients, shape.modalities) if backward else (0, 0)
    grads = [to_device(torch.randn(number, shape.channels, **like)) for number in rows]
    if device != "cpu":
        moved = [tensor.to(device) for tensor in (layout.patient, layout.modality, layout.modality_ptr)]
        layout = EdgeLayout(moved[0], moved[1], moved[2], layout.num_patients, layout.num_modalities)
    return Problem(shape, layout, tokens, grads[0], grads[1])
