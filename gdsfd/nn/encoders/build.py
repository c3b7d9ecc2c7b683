"""Which encoder a modality gets."""

from __future__ import annotations

from typing import Literal

from gdsfd.cohort.schema import ModalityFields
from gdsfd.nn.encoders.codes_encoder import CodesEncoder
from gdsfd.nn.encoders.embedding_encoder import EmbeddingEncoder
from gdsfd.nn.encoders.encoder import Encoder
from gdsfd.nn.encoders.events_encoder import EventsEncoder
from gdsfd.nn.encoders.table_encoder import TableEncoder

__all__ = ["build_encoder"]


def build_encoder(
    fields: ModalityFields, out_channels: int, dropout: float = 0.25, sequence: Literal["gru", "none"] = "none"
) -> Encoder:
    """The encoder of one modality, by its kind.

    Args:
        fields: The modality's fitted description.
        out_channels: Width d of its tokens.
        dropout: Dropout probability.
        sequence: For events: ``"gru"`` adds a recurrence over time steps to the summaries.
    """
    if fields.kind == "table":
        return TableEncoder(fields, out_channels, dropout)
    if fields.kind == "events":
        return EventsEncoder(fields, out_channels, dropout, sequence)
    if fields.kind == "codes":
        return CodesEncoder(fields, out_channels, dropout)
    return EmbeddingEncoder(fields, out_channels, dropout)
