"""Cell tokens of a graph, with weights that do not depend on the global state."""

from __future__ import annotations

import torch
from torch_geometric.data import HeteroData

from gdsfd.nn.encoders import CellTokens, build_encoder

__all__ = ["cell_tokens"]


def cell_tokens(graph: HeteroData, channels: int = 6) -> CellTokens:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        encoders = [build_encoder(fields, channels) for fields in graph.schema.modalities]
        return CellTokens(graph.schema.names, encoders, channels)
