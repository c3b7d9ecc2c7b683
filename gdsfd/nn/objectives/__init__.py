"""What training minimises: empirical risk, or the losses of dual streams. One objective, one file."""

from gdsfd.nn.objectives.dual_stream import StreamObjective, conditions
from gdsfd.nn.objectives.erm import ErmObjective
from gdsfd.nn.objectives.objective import Objective

__all__ = ["ErmObjective", "Objective", "StreamObjective", "conditions"]
