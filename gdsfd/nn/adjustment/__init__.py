"""Adjustment for confounders: predictions averaged over strata of patients (the back-door formula)."""

from gdsfd.nn.adjustment.adjustment import Adjustment, build_adjustment, register_adjustment
from gdsfd.nn.adjustment.config import PrototypeConfig
from gdsfd.nn.adjustment.prototypes import Prototypes
from gdsfd.nn.adjustment.stratified_adjustment import StratifiedAdjustment

__all__ = [
    "Adjustment",
    "PrototypeConfig",
    "Prototypes",
    "StratifiedAdjustment",
    "build_adjustment",
    "register_adjustment",
]
