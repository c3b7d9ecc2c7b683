"""Backbones: tokens on edges to one embedding per patient. One file each, behind :class:`Backbone`."""

from gdsfd.nn.backbones.aug import AugBackbone
from gdsfd.nn.backbones.backbone import Backbone, Criterion, Task
from gdsfd.nn.backbones.card import Card
from gdsfd.nn.backbones.cmae import CmaeBackbone
from gdsfd.nn.backbones.concat import ConcatBackbone
from gdsfd.nn.backbones.crossmodal import CrossmodalBackbone
from gdsfd.nn.backbones.daft import DaftBackbone
from gdsfd.nn.backbones.drfuse import DrFuseBackbone
from gdsfd.nn.backbones.flexmoe import FlexMoeBackbone
from gdsfd.nn.backbones.fusion_backbone import Fused, FusionBackbone
from gdsfd.nn.backbones.grape import GrapeBackbone
from gdsfd.nn.backbones.healnet import HealnetBackbone
from gdsfd.nn.backbones.hgmf import HgmfBackbone
from gdsfd.nn.backbones.inforeg import InforegBackbone
from gdsfd.nn.backbones.late import LateBackbone
from gdsfd.nn.backbones.m3care import M3CareBackbone
from gdsfd.nn.backbones.medfuse import MedFuseBackbone
from gdsfd.nn.backbones.mmtm import MmtmBackbone
from gdsfd.nn.backbones.mt import MtBackbone
from gdsfd.nn.backbones.multimodn import MultiModNBackbone
from gdsfd.nn.backbones.muse import MuseBackbone
from gdsfd.nn.backbones.registry import (
    backbone_level,
    build_backbone,
    check_backbone,
    known_backbones,
    register_backbone,
)
from gdsfd.nn.backbones.shaspec import ShaspecBackbone
from gdsfd.nn.backbones.smil import SmilBackbone
from gdsfd.nn.backbones.umse import UmseBackbone
from gdsfd.nn.backbones.unimodal import UnimodalBackbone

__all__ = [
    "AugBackbone",
    "Backbone",
    "Card",
    "CmaeBackbone",
    "ConcatBackbone",
    "Criterion",
    "CrossmodalBackbone",
    "DaftBackbone",
    "DrFuseBackbone",
    "FlexMoeBackbone",
    "Fused",
    "FusionBackbone",
    "GrapeBackbone",
    "HealnetBackbone",
    "HgmfBackbone",
    "InforegBackbone",
    "LateBackbone",
    "M3CareBackbone",
    "MedFuseBackbone",
    "MmtmBackbone",
    "MtBackbone",
    "MultiModNBackbone",
    "MuseBackbone",
    "ShaspecBackbone",
    "SmilBackbone",
    "Task",
    "UmseBackbone",
    "UnimodalBackbone",
    "backbone_level",
    "build_backbone",
    "check_backbone",
    "known_backbones",
    "register_backbone",
]
