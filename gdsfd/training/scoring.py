"""Probabilities of patients by a trained network."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch_geometric.data import HeteroData

from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.ensemble import Ensemble

__all__ = ["probabilities_of"]


@torch.no_grad()
def probabilities_of(network: Ensemble, graph: HeteroData | PatientStore, rows: Tensor) -> NDArray[np.float64]:
    """Probabilities of some patients, float64 [n, classes] (see :func:`gdsfd.nn.losses.probabilities`).

    Args:
        network: A trained network on the CPU; it is put into evaluation mode.
        graph: The graph, or a store of it.
        rows: Rows of the graph's patients; int64 [n].
    """
    store = graph if isinstance(graph, PatientStore) else PatientStore(graph)
    network.eval()
    parts = [
        network.probability(network(store.batch(rows[first : first + 2048])))
        for first in range(0, max(len(rows), 1), 2048)  # no rows give one empty batch of the right width
    ]
    return torch.cat(parts).numpy()
