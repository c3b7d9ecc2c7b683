"""Networks: encoders, backbones, streams, adjustments, losses, objectives; each part by name, open to one's own."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gdsfd.nn.adjustment import Adjustment, PrototypeConfig, register_adjustment
    from gdsfd.nn.backbones import Backbone, register_backbone
    from gdsfd.nn.conv import EdgeSAGEConv
    from gdsfd.nn.dependence import Dependence, register_dependence
    from gdsfd.nn.embeddings import Embeddings
    from gdsfd.nn.encoders import Encoder, FeatureEncoder, register_encoder
    from gdsfd.nn.losses import LossWeight, Targets, register_loss_weight
    from gdsfd.nn.objectives import SuspectObjective, register_objective
    from gdsfd.nn.streams import DualStreams, Mask, StreamConfig, register_mask

__all__ = [
    "Adjustment",
    "Backbone",
    "Dependence",
    "DualStreams",
    "EdgeSAGEConv",
    "Embeddings",
    "Encoder",
    "FeatureEncoder",
    "LossWeight",
    "Mask",
    "PrototypeConfig",
    "StreamConfig",
    "SuspectObjective",
    "Targets",
    "register_adjustment",
    "register_backbone",
    "register_dependence",
    "register_encoder",
    "register_loss_weight",
    "register_mask",
    "register_objective",
]

#: Public name -> the module it comes from; loaded when first asked for.
_HOME = {
    **dict.fromkeys(("Adjustment", "PrototypeConfig", "register_adjustment"), "gdsfd.nn.adjustment"),
    **dict.fromkeys(("Backbone", "register_backbone"), "gdsfd.nn.backbones"),
    "EdgeSAGEConv": "gdsfd.nn.conv",
    **dict.fromkeys(("Dependence", "register_dependence"), "gdsfd.nn.dependence"),
    "Embeddings": "gdsfd.nn.embeddings",
    **dict.fromkeys(("Encoder", "FeatureEncoder", "register_encoder"), "gdsfd.nn.encoders"),
    **dict.fromkeys(("LossWeight", "Targets", "register_loss_weight"), "gdsfd.nn.losses"),
    **dict.fromkeys(("SuspectObjective", "register_objective"), "gdsfd.nn.objectives"),
    **dict.fromkeys(("DualStreams", "Mask", "StreamConfig", "register_mask"), "gdsfd.nn.streams"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'gdsfd.nn' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value  # the next access does not come through here
    return value
