"""The encoder under test: a stack of this package's layers, with the backend of its operations as an argument."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gdsfd.bench.opponents.plain_encoder import PlainEncoder
from gdsfd.bench.problem import Shape
from gdsfd.graph.edge_layout import EdgeLayout
from gdsfd.nn.conv import EdgeSAGEConv

__all__ = ["SparseEncoder", "make_encoders"]


class SparseEncoder(nn.Module):
    """Two directions per layer and an edge update between layers, as in ``muse``; both sides' last vectors are wanted.

    Args:
        shape: The sizes.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.patient_start = nn.Parameter(torch.ones(shape.channels))
        self.modality_start = nn.Parameter(torch.randn(shape.modalities, shape.channels) / shape.channels**0.5)
        self.convs = nn.ModuleList(
            EdgeSAGEConv(shape.channels, update_edges=layer < shape.layers - 1) for layer in range(shape.layers)
        )

    def forward(self, tokens: Tensor, layout: EdgeLayout, backend: str = "auto") -> tuple[Tensor, Tensor]:
        """Patients [N, d] and modalities [K, d] after the last layer.

        Args:
            tokens: One per edge, [E, d].
            layout: The edges.
            backend: Of the operations.
        """
        patient: Tensor = self.patient_start.unsqueeze(0)  # one row for all
        modality, edge = self.modality_start, tokens
        for conv in self.convs:
            patient, modality, edge = conv(patient, modality, edge, layout, backend=backend)
        return patient, modality


def make_encoders(shape: Shape, seed: int, device: str = "cpu") -> tuple[SparseEncoder, PlainEncoder]:
    """This package's encoder and the plain one, with the same weights.

    Args:
        shape: The sizes.
        seed: Of the weights; the global generator is left as it was.
        device: Where the weights go.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        sparse = SparseEncoder(shape).to(dtype=shape.torch_dtype)
        layers = [conv for conv in sparse.convs if isinstance(conv, EdgeSAGEConv)]
        plain = PlainEncoder(layers, sparse.patient_start, sparse.modality_start)
    return sparse.to(device), plain.to(device)
