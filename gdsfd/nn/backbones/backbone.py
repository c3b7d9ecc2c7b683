"""The backbone protocol."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, Literal

from torch import Tensor, nn

from gdsfd.graph.grid_layout import Layout
from gdsfd.nn.embeddings import Embeddings

__all__ = ["Backbone", "TokenBatches"]

#: A function that starts a new pass over training batches, each as tokens [E, d] and their layout, for
#: backbones that take masks also as (tokens, layout, mask).
TokenBatches = Callable[[], Iterable[tuple[Any, ...]]]


class Backbone(nn.Module, ABC):
    """Turns the tokens on a batch's edges into one embedding per patient.

    In evaluation mode the embedding of a patient must not depend on who else is in the batch. A backbone that learns
    from its neighbours in training therefore keeps what it needs of them in buffers, filled by :meth:`fit_memory`.

    Args:
        channels: Width d of tokens and embeddings.
        num_modalities: Number of modalities K.
        dropout: Dropout probability.
    """

    #: Where dual streams stand: on the tokens that go in ("input"), on the tokens that come out ("tokens"), or on the
    #: pooled vector ("pooled"); see :class:`gdsfd.nn.streams.DualStreams`.
    streams_on: Literal["input", "tokens", "pooled"] = "input"
    #: Whether :meth:`forward` takes ``mask``, float [E] or [E, d], and normalises its messages by the mask's sum.
    takes_mask: bool = False
    #: Whether the backbone also takes a :class:`~gdsfd.graph.grid_layout.GridLayout`, with tokens [K, B, d] and masks
    #: [K, B] or [K, B, d]: it then asks its layout for all that depends on where edges are, and looks at no values.
    takes_grid: bool = False
    #: What an edge is: a modality a patient has, or a single cell that was observed.
    level: Literal["modality", "cell"] = "modality"

    def __init__(self, channels: int, num_modalities: int, dropout: float = 0.25) -> None:
        super().__init__()
        self.channels = channels
        self.num_modalities = num_modalities
        self.dropout = dropout

    @abstractmethod
    def forward(self, tokens: Tensor, layout: Layout, y: Tensor | None = None) -> Embeddings:
        """Embeds a batch of patients.

        Args:
            tokens: One token per edge, float [E, d], in the order of the layout.
            layout: The batch's edges.
            y: Labels for losses of the backbone's own (training only); NaN or -1 = unlabelled.

        Returns:
            Embeddings; ``pooled`` is [B, d] also for patients without any edge.
        """

    def fit_memory(self, batches: TokenBatches) -> None:
        """Fits what inference needs to know of the training patients; nothing by default.

        Args:
            batches: Starts a pass over training batches. The module is in evaluation mode, without gradients.
        """
        return None

    @property
    def has_memory(self) -> bool:
        """Whether :meth:`fit_memory` does anything (the training loop then calls it before every evaluation)."""
        return type(self).fit_memory is not Backbone.fit_memory
