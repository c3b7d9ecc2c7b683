"""Who has which modality."""

from __future__ import annotations

import torch
from torch import Tensor
from torch_geometric.data import HeteroData

from gdsfd.graph.from_cohort import edge_type

__all__ = ["presence_of"]


def presence_of(graph: HeteroData) -> Tensor:
    """True where a patient has a modality; bool [N, K], columns in the order of the schema."""
    presence = torch.zeros(len(graph["patient"].id), len(graph.schema.names), dtype=torch.bool)
    for number, name in enumerate(graph.schema.names):
        presence[graph[edge_type(name)].edge_index[0], number] = True
    return presence
