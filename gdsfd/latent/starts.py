"""Where EM starts: classes along directions in which content spreads inside outcome classes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from scipy.linalg import eigh

from gdsfd.latent.gaussian_block import Floats, Ints

__all__ = ["starts"]

#: Share of the identity in a pooled covariance of columns.
RIDGE = 0.3


def starts(
    content: Floats, y: Ints, views: Mapping[str, Ints], classes: int, seed: int, draws: int
) -> Iterator[Floats]:
    """Responsibilities to start from; each [N, K].

    Args:
        content: Standardised numbers, NaN = not measured; [N, D].
        y: Outcomes; [N].
        views: Name -> codes, -1 = missing.
        classes: Number of classes, K.
        seed: Of what is drawn.
        draws: Starts along random directions.
    """
    rng = np.random.default_rng(seed)
    filled = np.where(np.isfinite(content), content, np.nan)
    inside = np.empty_like(filled)
    for label in np.unique(y):
        own = filled[y == label]
        count = np.isfinite(own).sum(0)
        inside[y == label] = own - np.nansum(own, axis=0) / np.maximum(count, 1)
    inside = np.nan_to_num(inside)  # a missing cell lies at the mean here, of the starts only
    axes = min(classes - 1, inside.shape[1])
    spread = inside.T @ inside / len(inside)
    yield _clusters(inside @ eigh(spread)[1][:, ::-1][:, :axes], classes, rng)
    for codes in views.values():
        between = _between(inside, codes)
        within = (1.0 - RIDGE) * spread + RIDGE * np.eye(len(spread))
        yield _clusters(inside @ eigh(between, within)[1][:, ::-1][:, :axes], classes, rng)
    for _ in range(draws):
        yield _clusters(inside @ rng.standard_normal((inside.shape[1], axes)), classes, rng)


def _between(inside: Floats, codes: Ints) -> Floats:
    """Scatter of the means by code; [D, D]."""
    found = np.zeros((inside.shape[1],) * 2)
    for code in np.unique(codes[codes >= 0]):
        own = inside[codes == code]
        found += len(own) / len(inside) * np.outer(own.mean(0), own.mean(0))
    return found


def _clusters(points: Floats, classes: int, rng: np.random.Generator, rounds: int = 10) -> Floats:
    """Soft clusters of a few scaled coordinates, by k-means from centres far apart; [N, K]."""
    scale = points.std(0)
    points = points / np.where(scale > 0, scale, 1.0)
    centres = points[[int(rng.integers(len(points)))]]
    while len(centres) < classes:
        nearest = _distances(points, centres).min(1) + 1e-12
        centres = np.concatenate([centres, points[[int(rng.choice(len(points), p=nearest / nearest.sum()))]]])
    for _ in range(rounds):
        own = _distances(points, centres).argmin(1)
        centres = np.stack([points[own == u].mean(0) if (own == u).any() else centres[u] for u in range(classes)])
    closeness = -_distances(points, centres)
    share = np.exp(closeness - closeness.max(1, keepdims=True))
    return share / share.sum(1, keepdims=True)


def _distances(points: Floats, centres: Floats) -> Floats:
    return ((points[:, None] - centres[None]) ** 2).sum(-1)
