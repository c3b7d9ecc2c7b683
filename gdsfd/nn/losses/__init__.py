"""Losses on outcomes. Unlabelled patients never count."""

from gdsfd.nn.losses.generalized_cross_entropy import generalized_cross_entropy
from gdsfd.nn.losses.outcome_loss import element_loss, outcome_loss, probabilities
from gdsfd.nn.losses.relative_difficulty import RelativeDifficulty, batch_difficulty
from gdsfd.nn.losses.targets import Targets

__all__ = [
    "RelativeDifficulty",
    "Targets",
    "batch_difficulty",
    "element_loss",
    "generalized_cross_entropy",
    "outcome_loss",
    "probabilities",
]
