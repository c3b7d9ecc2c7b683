"""Training: a short loop, checkpoints, and the estimator people use."""

from gdsfd.training.config import TrainConfig
from gdsfd.training.debiaser import Debiaser

__all__ = ["Debiaser", "TrainConfig"]
