"""Dual streams: causal and biased evidence kept apart. One part, one file."""

from gdsfd.nn.streams.config import PRESETS, StreamConfig
from gdsfd.nn.streams.dual_streams import DualStreams, StreamCodes, swapped
from gdsfd.nn.streams.mask import Mask, build_mask, register_mask
from gdsfd.nn.streams.mask_generator import MaskGenerator

__all__ = [
    "PRESETS",
    "DualStreams",
    "Mask",
    "MaskGenerator",
    "StreamCodes",
    "StreamConfig",
    "build_mask",
    "register_mask",
    "swapped",
]
