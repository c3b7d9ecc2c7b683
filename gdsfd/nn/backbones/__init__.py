"""Backbones: tokens on edges to one embedding per patient. One file each, behind :class:`Backbone`."""

from gdsfd.nn.backbones.backbone import Backbone
from gdsfd.nn.backbones.concat import ConcatBackbone
from gdsfd.nn.backbones.grape import GrapeBackbone
from gdsfd.nn.backbones.muse import MuseBackbone
from gdsfd.nn.backbones.registry import (
    backbone_level,
    build_backbone,
    check_backbone,
    known_backbones,
    register_backbone,
)

__all__ = [
    "Backbone",
    "ConcatBackbone",
    "GrapeBackbone",
    "MuseBackbone",
    "backbone_level",
    "build_backbone",
    "check_backbone",
    "known_backbones",
    "register_backbone",
]
