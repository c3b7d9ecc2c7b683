"""Encoders: one modality's observations to tokens of one width. One file per kind."""

from gdsfd.nn.encoders.cell_names import cell_names
from gdsfd.nn.encoders.cell_tokens import CellTokens
from gdsfd.nn.encoders.cells import CellLayout
from gdsfd.nn.encoders.codes_encoder import CodesEncoder
from gdsfd.nn.encoders.embedding_encoder import EmbeddingEncoder
from gdsfd.nn.encoders.encoder import Encoder, build_encoder, encoder_of, register_encoder
from gdsfd.nn.encoders.events_encoder import EventsEncoder
from gdsfd.nn.encoders.feature_encoder import FeatureEncoder
from gdsfd.nn.encoders.table_encoder import TableEncoder

__all__ = [
    "CellLayout",
    "CellTokens",
    "CodesEncoder",
    "EmbeddingEncoder",
    "Encoder",
    "EventsEncoder",
    "FeatureEncoder",
    "TableEncoder",
    "build_encoder",
    "cell_names",
    "encoder_of",
    "register_encoder",
]
