"""A built-in cohort from a structural causal model: real export files whose causes are known."""

from __future__ import annotations

from gdsfd.simulation.config import SPLITS, SimulationConfig
from gdsfd.simulation.presets import PRESETS
from gdsfd.simulation.simulate import simulate
from gdsfd.simulation.truth import Truth, load_truth

__all__ = ["PRESETS", "SPLITS", "SimulationConfig", "Truth", "load_truth", "simulate"]
