"""Causal content that tells the outcome by products, bands and an exclusive-or: no single column shows it.

Every column that takes part is N(0, 1) among all patients, so a missing partner leaves no evidence and a model that is
linear in columns sees nothing. With ``s`` = -1 or 1 the outcome, ``t`` half the asked separation of the causal content,
and everything else independent (our formulation)::

    product     (z1, z2) bivariate normal of correlation r s, r = tanh(0.4 t)     log-ratio  2 r z1 z2 / (1 - r^2)
    xor         the signs of z1 and z2 agree with probability (1 + g s) / 2, g = tanh(0.5 t)     +-t
    band        |z| beyond its 70 % point with probability 0.3 (1 + g s)           log-ratio of the two shares

Inside an outcome class none of them has clusters: what an illness does to the data is not a practice. Columns are taken
from the causal ones of modalities of numbers, in their order: the first two of four make a product, and so do the fifth
and sixth; the next one after the first product (the second of three) has a band; the one after that, of two different
modalities, the exclusive-or. What is left, codes and demographics stay linear, as strong as without interactions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from gdsfd.simulation.catalogue import CATALOGUE
from gdsfd.simulation.config import SimulationConfig
from gdsfd.simulation.streams import stream

__all__ = ["Interaction", "draw_interactions", "interaction_log_ratio", "interactions_of"]

#: Share of all patients whose value lies out of the band.
OUTSIDE = 0.3

Cell = tuple[str, int]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Interaction:
    """Causal columns that tell the outcome together.

    Args:
        kind: ``product``, ``xor`` or ``band``.
        cells: Modality and column number of those that take part.
        strength: ``r`` or ``g`` above.
    """

    kind: Literal["product", "xor", "band"]
    cells: tuple[Cell, ...]
    strength: float

    @property
    def columns(self) -> list[str]:
        """Their names: ``["labs.lactate", "labs.creatinine"]``."""
        return [f"{name}.{CATALOGUE[name].features[place].name}" for name, place in self.cells]

    @property
    def modality(self) -> str | None:
        """The modality that has all of it; None for one between modalities."""
        names = {name for name, _ in self.cells}
        return names.pop() if len(names) == 1 else None


def interactions_of(config: SimulationConfig) -> tuple[Interaction, ...]:
    """The interactions of a simulation; none unless ``config.interactions``."""
    if not config.interactions:
        return ()
    half = 0.5 * config.separation
    product, sign = min(0.99, float(np.tanh(0.4 * half))), min(0.99, float(np.tanh(0.5 * half)))
    found: list[Interaction] = []
    free: list[tuple[bool, Cell]] = []
    for name in config.names:
        modality = CATALOGUE[name]
        causal: list[Cell] = [(name, place) for place, each in enumerate(modality.features) if each.role == "causal"]
        if modality.kind == "codes" or len(causal) < 3:
            continue
        pair, rest = (causal[:2], causal[2:]) if len(causal) > 3 else ([], causal[1:])
        if pair:
            found.append(Interaction("product", tuple(pair), product))
        found.append(Interaction("band", (rest[0],), sign))
        free.append((modality.kind == "embedding", rest[1]))
        if len(rest) >= 4:
            found.append(Interaction("product", tuple(rest[2:4]), product))
    ends = [cell for _, cell in sorted(free, key=lambda each: each[0])][:2]  # vectors, often absent, only if need be
    if len(ends) == 2:
        found.append(Interaction("xor", tuple(ends), sign))
    return tuple(found)


def draw_interactions(config: SimulationConfig, y: NDArray[np.int64], values: dict[str, Floats]) -> None:
    """Gives columns that hold N(0, 1) noise their interactions, in place.

    Args:
        config: The knobs.
        y: Outcome, 0 or 1; [N].
        values: Modality -> standardised numbers, [N, F].
    """
    s = 2.0 * y - 1.0
    for number, each in enumerate(interactions_of(config)):
        chance = stream(config.seed, f"interaction.{number}").random(len(y))
        first, last = (values[name][:, place] for name, place in (each.cells[0], each.cells[-1]))
        if each.kind == "product":
            last[:] = each.strength * s * first + np.sqrt(1.0 - each.strength**2) * last
        elif each.kind == "xor":
            agree = np.where(chance < 0.5 * (1.0 + each.strength * s), 1.0, -1.0)
            last[:] = np.abs(last) * np.sign(first) * agree
        else:
            outside = chance < OUTSIDE * (1.0 + each.strength * s)
            rank = 2.0 * ndtr(np.abs(first)) - 1.0  # uniform
            share = np.where(outside, 1.0 - OUTSIDE + OUTSIDE * rank, (1.0 - OUTSIDE) * rank)
            first[:] = np.sign(first) * ndtri(0.5 * (1.0 + np.minimum(share, 1.0 - 1e-12)))


def interaction_log_ratio(each: Interaction, values: Mapping[str, Floats]) -> Floats:
    """``log p(cells | Y = 1) - log p(cells | Y = 0)``, all cells known; [N]."""
    first, last = (values[name][:, place] for name, place in (each.cells[0], each.cells[-1]))
    g = each.strength
    if each.kind == "product":
        return 2.0 * g * first * last / (1.0 - g**2)
    if each.kind == "xor":
        return np.where(first * last > 0.0, 1.0, -1.0) * (np.log1p(g) - np.log1p(-g))
    out = np.log1p(g) - np.log1p(-g)
    inside = np.log1p(-OUTSIDE * (1.0 + g)) - np.log1p(-OUTSIDE * (1.0 - g))
    return np.where(np.abs(first) > ndtri(1.0 - 0.5 * OUTSIDE), out, inside)
