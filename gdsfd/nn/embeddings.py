"""The output of a backbone: patient embeddings, tokens, presence, auxiliary loss."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

__all__ = ["Embeddings"]


@dataclass(eq=False)
class Embeddings:
    """Patient embeddings of a batch.

    Args:
        pooled: One vector per patient; float [B, d].
        tokens: One vector per edge of the layout, or None when the backbone has none; float [E, d].
        presence: True where a patient has a modality; bool [B, K].
        aux_loss: The backbone's own loss (contrastive, reconstruction), a scalar; None when it has none.
    """

    pooled: Tensor
    tokens: Tensor | None
    presence: Tensor
    aux_loss: Tensor | None = None
