"""Encoders, backbone and head as one module."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from gdsfd.cohort.fields import CohortSchema
from gdsfd.graph.batch import PatientBatch
from gdsfd.nn.backbones import build_backbone
from gdsfd.nn.embeddings import Embeddings
from gdsfd.nn.encoders import build_encoder

__all__ = ["Prediction", "Predictor"]


@dataclass(eq=False)
class Prediction:
    """Scores of a batch.

    Args:
        logits: float [B, outputs]: one per outcome (binary, multi-label), or one per class.
        embeddings: What the backbone returned.
    """

    logits: Tensor
    embeddings: Embeddings


class Predictor(nn.Module):
    """Encodes each modality, embeds each patient, and scores the outcomes.

    Args:
        schema: The cohort's fitted description; fixes columns, vocabularies and scales.
        backbone: Name of the backbone.
        channels: Width d.
        dropout: Dropout probability.
        sequence: Whether events are also read by a recurrence over time.
        options: The backbone's own options.
    """

    def __init__(
        self,
        schema: CohortSchema,
        backbone: str = "muse",
        channels: int = 128,
        dropout: float = 0.25,
        sequence: Literal["gru", "none"] = "none",
        options: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.names = schema.names
        self.encoders = nn.ModuleList(
            build_encoder(modality, channels, dropout, sequence) for modality in schema.modalities
        )
        self.norms = nn.ModuleList(nn.LayerNorm(channels) for _ in schema.modalities)
        self.channels = channels
        self.backbone = build_backbone(backbone, channels, len(self.names), dropout, **(options or {}))
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(channels, schema.num_outputs)

    def tokens(self, batch: PatientBatch) -> Tensor:
        """One token per edge of the batch's layout, float [E, d]."""
        parts = []
        for number, name in enumerate(self.names):
            observations = batch.observations[name]
            if int(batch.layout.modality_degree[number]):
                parts.append(self.norms[number](self.encoders[number](observations)))
        if not parts:
            return torch.zeros(0, self.channels, device=batch.rows.device)
        return torch.cat(parts)

    def forward(self, batch: PatientBatch) -> Prediction:
        """Scores a batch of patients."""
        embeddings = self.backbone(self.tokens(batch), batch.layout, batch.y if self.training else None)
        return Prediction(self.out(self.dropout(embeddings.pooled)), embeddings)

    @torch.no_grad()
    def fit_states(self, batches: Callable[[], Iterable[PatientBatch]]) -> None:
        """Lets the backbone fit what inference needs to know of training patients (see ``Backbone.fit_states``)."""
        if not self.backbone.needs_states:
            return
        mode = self.training
        self.eval()
        self.backbone.fit_states(lambda: ((self.tokens(batch), batch.layout) for batch in batches()))
        self.train(mode)
