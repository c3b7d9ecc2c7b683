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
    content: Floats = np.full((size, len(mixture.block)), np.nan)
    for k, each in enumerate(mixture.blocks):
        own = np.flatnonzero(mixture.block == k)
        noise = rng.multivariate_normal(np.zeros(len(own)), each.covariance, size)
        content[:, own] = each.outcome[y] + each.stratum[u] + noise
        content[np.ix_(rng.random(size) < 0.25, own)] = np.nan
    content[rng.random(content.shape) < missing] = np.nan
    views = {
        name: np.array([rng.choice(table.shape[1], p=table[which]) for which in u])
        for name, table in mixture.views.items()
    }
    views["site"] = np.where(rng.random(size) < 0.1, -1, views["site"])  # some sites are not known
    return Observed(content, mixture.block, views), y, u
