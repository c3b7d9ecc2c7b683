"""Training without some environments, to be judged in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import HeteroData

from gdsfd.graph.loader import rows_of

__all__ = ["Fold", "environment_folds"]


@dataclass(frozen=True)
class Fold:
    """Training without some environments.

    Args:
        name: The environments left out.
        rows: Rows of ``train`` and ``tuning`` of the others.
        left_out: Labelled rows of ``train`` and ``tuning`` in the environments left out.
    """

    name: str
    rows: dict[str, Tensor]
    left_out: Tensor


def environment_folds(graph: HeteroData, folds: int) -> list[Fold]:
    """Groups the training environments into folds of about equal size, each to be left out once.

    Args:
        graph: The graph.
        folds: Most folds; with fewer environments each is a fold of its own.

    Returns:
        Nothing when no environment is declared, there is only one, or leaving a fold out leaves no labelled patient of
        some label to train or choose the epoch on.
    """
    environment = graph["patient"].get("environment")
    if environment is None or folds < 2:
        return []
    names = np.asarray(environment, dtype=object).astype(str)
    y = graph["patient"].y
    label = (y if not y.is_floating_point() else torch.nan_to_num(y[:, 0], nan=-1.0).long()).numpy()
    train, tuning = (rows_of(graph, split).numpy() for split in ("train", "tuning"))
    known, counts = np.unique(names[train], return_counts=True)
    if len(known) < 2:
        return []
    parts: list[list[str]] = [[] for _ in range(min(folds, len(known)))]
    sizes = np.zeros(len(parts))
    for number in np.argsort(-counts, kind="stable"):
        smallest = int(sizes.argmin())
        parts[smallest].append(str(known[number]))
        sizes[smallest] += counts[number]
    made = []
    for part in parts:
        inside = np.isin(names, part)
        rows = {"train": train[~inside[train]], "tuning": tuning[~inside[tuning]]}
        left_out = np.concatenate([rows_in[inside[rows_in] & (label[rows_in] >= 0)] for rows_in in (train, tuning)])
        if any(np.unique(label[kept][label[kept] >= 0]).size < 2 for kept in rows.values()):
            continue
        made.append(
            Fold(
                ", ".join(part),
                {split: torch.from_numpy(kept) for split, kept in rows.items()},
                torch.from_numpy(left_out),
            )
        )
    return made
