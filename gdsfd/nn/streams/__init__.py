"""Causal and biased evidence kept apart. One part, one file."""

from gdsfd.nn.streams.config import PRESETS, StreamConfig
from gdsfd.nn.streams.dual_streams import DualStreams, StreamCodes
from gdsfd.nn.streams.mask_generator import MaskGenerator
from gdsfd.nn.streams.swap import swapped

__all__ = ["PRESETS", "DualStreams", "MaskGenerator", "StreamCodes", "StreamConfig", "swapped"]
