"""Patients drawn from a mixture inside outcome classes: three modalities, often absent, with cells missing."""

from __future__ import annotations

import numpy as np

from gdsfd.latent.gaussian_block import Floats, GaussianBlock, Ints
from gdsfd.latent.mixture import Mixture, Observed

BLOCK = np.array([0, 0, 0, 1, 1, 2])


def a_mixture(strength: float = 1.5) -> Mixture:
    """Two classes that write in other columns than the outcome does."""
    outcome = np.zeros((2, 6))
    outcome[1, [0, 3]] = 1.2
    stratum = np.zeros((2, 6))
    stratum[0, [1, 2, 4]], stratum[1, [1, 2, 4]] = -strength / 2, strength / 2
    blocks = []
    for k in range(3):
        own = np.flatnonzero(k == BLOCK)
        covariance = 0.1 * np.ones((len(own), len(own))) + 0.9 * np.eye(len(own))
        blocks.append(GaussianBlock(outcome[:, own], stratum[:, own], covariance))
    share = np.array([[0.8, 0.2], [0.25, 0.75]])
    views = {"site": np.array([[0.5, 0.3, 0.2], [0.1, 0.3, 0.6]]), "pattern": np.array([[0.7, 0.3], [0.4, 0.6]])}
    return Mixture(share, views, tuple(blocks), BLOCK, share.mean(0))


def draw(mixture: Mixture, size: int, seed: int = 0, missing: float = 0.15) -> tuple[Observed, Ints, Ints]:
    """Patients, their outcomes and their classes."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, size)
    u = (rng.random(size) < mixture.share[y, 1]).astype(np.int64)
    shifts = [each.stratum[u] for each in mixture.blocks]
    tables = {name: table[u] for name, table in mixture.views.items()}
    return _seen(mixture, y, shifts, tables, missing, rng), y, u


def draw_graded(mixture: Mixture, size: int, seed: int = 0, missing: float = 0.15) -> tuple[Observed, Ints, Floats]:
    """Patients, their outcomes and how much they have of a practice that is a number."""
    rng = np.random.default_rng(seed)
    t = rng.standard_normal(size)
    y = (rng.random(size) < 1.0 / (1.0 + np.exp(-4.0 * t))).astype(np.int64)
    shifts = [t[:, None] * (each.stratum[1] - each.stratum[0]) / 2 for each in mixture.blocks]
    along = 1.0 / (1.0 + np.exp(-2.0 * t))[:, None]
    tables = {name: (1 - along) * table[0] + along * table[1] for name, table in mixture.views.items()}
    return _seen(mixture, y, shifts, tables, missing, rng), y, t


def _seen(
    mixture: Mixture,
    y: Ints,
    shifts: list[Floats],
    tables: dict[str, Floats],
    missing: float,
    rng: np.random.Generator,
) -> Observed:
    """Content and views by each patient's own shift and own table."""
    size = len(y)
    content: Floats = np.full((size, len(mixture.block)), np.nan)
    for k, (each, shift) in enumerate(zip(mixture.blocks, shifts)):
        own = np.flatnonzero(mixture.block == k)
        noise = rng.multivariate_normal(np.zeros(len(own)), each.covariance, size)
        content[:, own] = each.outcome[y] + shift + noise
        content[np.ix_(rng.random(size) < 0.25, own)] = np.nan
    content[rng.random(content.shape) < missing] = np.nan
    views = {name: np.array([rng.choice(len(p), p=p) for p in each]) for name, each in tables.items()}
    views["site"] = np.where(rng.random(size) < 0.1, -1, views["site"])  # some sites are not known
    return Observed(content, mixture.block, views)
