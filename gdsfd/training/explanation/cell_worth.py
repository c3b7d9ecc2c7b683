"""What each single value of a patient added: a number, a level, an item of events, a code, a vector's component.

A value's effect is the patient's log-odds less those had it not been measured (of a vector's component: had it been the
training patients' median), in nats; everything else stays. Effects do not add up: where two values say the same, each
seems to add little.

Whether a ranking of values is faithful is measured by deletion: values are taken away one after another, the most
important first, and the log-odds of a good ranking move further from where they were than those of a random order.

References:
    Deletion curves: Samek et al., IEEE TNNLS (2017); Petsiuk et al., BMVC (2018). "Not measured" in place of a
    background is ours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from gdsfd.graph.column_ablation import Column, has_cells, without_cells
from gdsfd.graph.patient_batch import PatientBatch
from gdsfd.graph.patient_store import PatientStore

__all__ = ["cell_worth", "deletion_curve"]

#: Copies of a patient scored at a time.
MOST_COPIES = 1024

Floats = NDArray[np.float64]
Score = Callable[[PatientBatch], Floats]


def cell_worth(
    store: PatientStore, row: int, columns: Sequence[Column], score: Score
) -> tuple[NDArray[np.int64], Floats, float]:
    """Effects of the values that a patient has.

    Args:
        store: The graph's observations.
        row: The patient's row.
        columns: Columns of the graph's schema.
        score: Log-odds of a batch, [B].

    Returns:
        Places of the columns that the patient has a value in, ascending, [m]; their effects, [m]; and the patient's
        log-odds as they are.
    """
    own = has_cells(store.batch(torch.tensor([row])), columns)[0].nonzero().squeeze(1)
    hidden = torch.zeros(own.numel() + 1, len(columns), dtype=torch.bool)
    hidden[torch.arange(1, own.numel() + 1), own] = True
    found = _scored(store, row, columns, hidden, score)
    return own.numpy(), found[0] - found[1:], float(found[0])


def deletion_curve(
    store: PatientStore, row: int, columns: Sequence[Column], order: Sequence[int], score: Score
) -> Floats:
    """Log-odds of a patient as values are taken away one after another.

    Args:
        store: The graph's observations.
        row: The patient's row.
        columns: Columns of the graph's schema.
        order: Places of columns, the first to go first; m of them.
        score: Log-odds of a batch, [B].

    Returns:
        With none taken away, with one, and so on; [m + 1].
    """
    hidden = torch.zeros(len(order) + 1, len(columns), dtype=torch.bool)
    for number, place in enumerate(order):
        hidden[number + 1 :, place] = True
    return _scored(store, row, columns, hidden, score)


def _scored(store: PatientStore, row: int, columns: Sequence[Column], hidden: torch.Tensor, score: Score) -> Floats:
    """Log-odds of copies of a patient, each without some values; hidden bool [copies, C]."""
    parts = []
    for own in hidden.split(MOST_COPIES):
        copies = store.batch(torch.full((own.size(0),), row))
        parts.append(score(without_cells(copies, columns, own)))
    return np.concatenate(parts)
