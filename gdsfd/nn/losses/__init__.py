"""Losses on outcomes. Unlabelled patients never count."""

from gdsfd.nn.losses.expected_loss import beside_margin, expected_loss, loss_beside_margin, shares_of_elements
from gdsfd.nn.losses.generalized_cross_entropy import generalized_cross_entropy
from gdsfd.nn.losses.loss_weight import LossWeight, build_loss_weight, register_loss_weight
from gdsfd.nn.losses.outcome_loss import element_loss, outcome_loss, probabilities
from gdsfd.nn.losses.targets import Targets

__all__ = [
    "LossWeight",
    "Targets",
    "beside_margin",
    "build_loss_weight",
    "element_loss",
    "expected_loss",
    "generalized_cross_entropy",
    "loss_beside_margin",
    "outcome_loss",
    "probabilities",
    "register_loss_weight",
    "shares_of_elements",
]
