"""Losses: means over labelled elements. One file each."""

from gdsfd.nn.losses.outcome_loss import outcome_loss, probabilities

__all__ = ["outcome_loss", "probabilities"]
