"""What training minimises: empirical risk, the losses of dual streams, or an objective by name. One file each."""

from gdsfd.nn.objective_registry import build_objective, check_objective, known_objectives, register_objective
from gdsfd.nn.objectives.conditional_mmd import ConditionalMmd
from gdsfd.nn.objectives.dual_stream import StreamObjective, conditions, unconditioned
from gdsfd.nn.objectives.erm import ErmObjective
from gdsfd.nn.objectives.group_dro import GroupDro
from gdsfd.nn.objectives.irm import Irm
from gdsfd.nn.objectives.objective import Objective
from gdsfd.nn.objectives.suspect_objective import InvarianceObjective, SuspectObjective
from gdsfd.nn.objectives.vrex import VRex

__all__ = [
    "ConditionalMmd",
    "ErmObjective",
    "GroupDro",
    "InvarianceObjective",
    "Irm",
    "Objective",
    "StreamObjective",
    "SuspectObjective",
    "VRex",
    "build_objective",
    "check_objective",
    "conditions",
    "known_objectives",
    "register_objective",
    "unconditioned",
]
