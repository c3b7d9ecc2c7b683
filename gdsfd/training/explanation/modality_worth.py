r"""What each modality that a patient has added to the patient's log-odds.

Two numbers for each, in nats. *Deletion*: the log-odds less those without the modality. *Shapley*: its mean gain over
all orders in which the patient's modalities could have come in; with z(S) the log-odds from the set S alone,

.. math:: \phi_k = \sum_{S \not\ni k} \frac{|S|! \, (K - |S| - 1)!}{K!} \, \bigl(z(S \cup k) - z(S)\bigr)

They add up to z(all) - z(none). Deletion undervalues two modalities that say the same; Shapley shares it between them.

References:
    Shapley, A value for n-person games (1953); Lundberg and Lee (NeurIPS 2017) for predictions. Absent edges in place
    of a background are ours: the network was trained on patients who lack modalities.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gdsfd.graph.kept_observations import kept_observations
from gdsfd.graph.patient_batch import PatientBatch
from gdsfd.graph.patient_store import PatientStore
from gdsfd.shapley import drawn_orders, sets_in, shapley, shapley_by_orders, subsets

__all__ = ["MOST_EXACT", "ORDERS", "modality_worth", "values_of"]

#: Modalities of a patient for which all sets are asked; of more, those on the way along some orders.
MOST_EXACT = 8
#: How many orders are drawn then, each with its reverse.
ORDERS = 64

Floats = NDArray[np.float64]
Score = Callable[[PatientBatch], Floats]


def modality_worth(store: PatientStore, rows: Tensor, score: Score, seed: int = 0) -> tuple[Floats, Floats, Floats]:
    """Deletion and Shapley values of patients' modalities.

    Args:
        store: The graph's observations.
        rows: Rows of the patients; int64 [n].
        score: Log-odds of a batch, [B].
        seed: Of the orders drawn for patients with more than :data:`MOST_EXACT` modalities.

    Returns:
        Deletion [n, K] and Shapley [n, K], NaN where a patient lacks the modality; and log-odds of each patient without
        any modality, [n].
    """
    names = store.schema.names
    deletion, worth = (np.full((rows.numel(), len(names)), np.nan) for _ in range(2))
    nothing = np.full(rows.numel(), np.nan)
    for number, row in enumerate(rows.tolist()):
        presence = store.batch(torch.tensor([row])).layout.presence[0]
        own = [names[place] for place in presence.nonzero().squeeze(1).tolist()]
        whole = frozenset(own)
        orders = drawn_orders(own, ORDERS, seed) if len(own) > MOST_EXACT else []
        asked = [frozenset[str](), *(sets_in(orders) if orders else subsets(own)), *(whole - {name} for name in own)]
        values = values_of(store, row, list(dict.fromkeys(asked)), score)
        found = shapley_by_orders(values, orders) if orders else shapley(values, own)
        nothing[number] = values[frozenset()]
        for name in own:
            worth[number, names.index(name)] = found[name]
            deletion[number, names.index(name)] = values[whole] - values[whole - {name}]
    return deletion, worth, nothing


def values_of(
    store: PatientStore, row: int, sets: Sequence[frozenset[str]], score: Score
) -> dict[frozenset[str], float]:
    """Log-odds of a patient who has only some modalities.

    Args:
        store: The graph's observations.
        row: The patient's row.
        sets: Names of modalities, those that the patient keeps.
        score: Log-odds of a batch, [B].
    """
    kept = torch.tensor([[name in each for name in store.schema.names] for each in sets], dtype=torch.bool)
    kept = kept.reshape(len(sets), len(store.schema.names))
    copies = store.batch(torch.full((len(sets),), row))
    return dict(zip(sets, score(kept_observations(copies, store.schema, kept)).tolist(), strict=True))
