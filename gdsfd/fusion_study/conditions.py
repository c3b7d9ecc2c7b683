"""Test patients as they would be without some of their modalities. Edges are only ever deleted, on copies."""

from __future__ import annotations

import numpy as np
import torch
from torch_geometric.data import HeteroData

from gdsfd.errors import InputError
from gdsfd.graph.loader import rows_of
from gdsfd.graph.modality_ablation import drop_modalities, keep_modalities

__all__ = ["under"]


def under(graph: HeteroData, condition: str, seed: int) -> HeteroData:
    """The graph under a condition; only patients of ``test`` change.

    Args:
        graph: The graph.
        condition: ``natural``; ``without NAME``; ``only NAME``; ``random RATE``: each modality hidden with that
            probability, independently, the same draw for every learner.
        seed: Of the draw.

    Raises:
        InputError: Another condition.
    """
    kind, _, word = condition.partition(" ")
    rows = rows_of(graph, "test")
    if kind == "natural" and not word:
        return graph
    if kind == "without":
        return drop_modalities(graph, word, rows)
    if kind == "only":
        return keep_modalities(graph, word, rows)
    if kind == "random":
        rng = np.random.default_rng([seed, round(1000 * float(word))])
        for name in graph.schema.names:
            hidden = rows[torch.from_numpy(rng.random(len(rows)) < float(word))]
            if hidden.numel():
                graph = drop_modalities(graph, name, hidden)
        return graph
    raise InputError(f"study: unknown condition {condition!r}")
