"""Labels of groups permuted inside outcome classes, subjects kept whole: the world in which no group differs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["permuted_labels"]


def permuted_labels(
    codes: NDArray[Any], y: NDArray[np.float64], subject: NDArray[np.int64], permutations: int, seed: int = 0
) -> NDArray[np.int16]:
    """Labels in which groups keep their numbers of each class and are otherwise drawn at random.

    What moves is a block: a subject's patients of one group. Blocks change labels with blocks of the same kind: all
    patients with the outcome, none, or some. With one patient per subject every group keeps its events exactly, so
    that its prevalence is left out of what is tested; with several, nearly.

    Args:
        codes: Group of each patient; below 0: in none, and stays there; [n].
        y: Labels, 0 or 1; [n].
        subject: Number of each patient's subject; [n].
        permutations: How many.
        seed: Of the local generator.

    Returns:
        One labelling per row; [permutations, n].
    """
    generator = np.random.default_rng(seed)
    found = np.tile(codes.astype(np.int16), (permutations, 1))
    grouped = np.flatnonzero(codes >= 0)
    if not len(grouped):
        return found
    pairs = np.column_stack([subject[grouped], codes[grouped]])
    blocks, block = np.unique(pairs, axis=0, return_inverse=True)
    block = block.reshape(-1)
    events = np.bincount(block, y[grouped], minlength=len(blocks))
    kind = (events > 0).astype(int) + (events < np.bincount(block, minlength=len(blocks))) * 2
    labels = np.tile(blocks[:, 1].astype(np.int16), (permutations, 1))
    for each in np.unique(kind):
        columns = np.flatnonzero(kind == each)
        labels[:, columns] = generator.permuted(labels[:, columns], axis=1)
    found[:, grouped] = labels[:, block]
    return found
