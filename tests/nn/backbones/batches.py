"""Random batches with a patient who has nothing and a modality nobody has, and parts of them."""

from __future__ import annotations

import torch

from gdsfd.graph.edge_layout import EdgeLayout
from gdsfd.nn.backbones import Backbone, build_backbone

__all__ = ["NAMES", "build", "only", "random_batch"]


NAMES = ("concat", "grape", "muse")


def random_batch(num_patients: int = 12, num_modalities: int = 4, channels: int = 6, seed: int = 0):
    generator = torch.Generator().manual_seed(seed)
    presence = torch.rand(num_patients, num_modalities, generator=generator) < 0.6
    presence[3] = False  # a patient with nothing
    presence[:, 2] = False  # a modality nobody has
    layout = EdgeLayout.from_lists([presence[:, k].nonzero().squeeze(1) for k in range(num_modalities)], num_patients)
    return torch.randn(layout.num_edges, channels, generator=generator), layout


def build(name: str, **options: object) -> Backbone:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return build_backbone(name, 6, 4, dropout=0.2, **options)


def only(tokens: torch.Tensor, layout: EdgeLayout, patients: torch.Tensor) -> tuple[torch.Tensor, EdgeLayout]:
    """The edges of ``patients`` alone, renumbered in their order."""
    place = {int(patient): number for number, patient in enumerate(patients)}
    parts, lists = [], []
    for modality in range(layout.num_modalities):
        mine = [
            (place[int(layout.patient[edge])], edge)
            for edge in range(int(layout.modality_ptr[modality]), int(layout.modality_ptr[modality + 1]))
            if int(layout.patient[edge]) in place
        ]
        mine.sort()
        lists.append(torch.tensor([number for number, _ in mine], dtype=torch.long))
        parts.extend(edge for _, edge in mine)
    return tokens[parts], EdgeLayout.from_lists(lists, len(patients))
