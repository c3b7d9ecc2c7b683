"""The registry of what a network without streams can be trained by, besides cross-entropy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gdsfd.errors import InputError
from gdsfd.nn.named_part import build_part, check_part
from gdsfd.registry import Registry
from gdsfd.setting_checks import brief

if TYPE_CHECKING:
    from gdsfd.nn.ensemble import Ensemble
    from gdsfd.nn.objectives.suspect_objective import SuspectObjective

__all__ = ["ERM", "OBJECTIVES", "build_objective", "check_objective", "known_objectives", "register_objective"]

#: What stands for plain cross-entropy.
ERM = "erm"

#: Parameters of an objective that are no options: the training sets them.
_FILLED_IN = ("network", "num_suspects", "margin", "stage_one")

OBJECTIVES: Registry[type[SuspectObjective]] = Registry("objective", ["gdsfd.nn.objectives"])

#: Class decorator that makes an objective known by a name, which the debias setting ``objective`` then takes.
register_objective = OBJECTIVES.register

#: The names that :func:`build_objective` takes.
known_objectives = OBJECTIVES.names


def check_objective(name: object, options: Mapping[str, Any]) -> None:
    """Refuses an unknown objective, and options that it does not take.

    Args:
        name: One of :func:`known_objectives`, or :data:`ERM`, which takes no options.
        options: The objective's own options.

    Raises:
        InputError: Names what is wrong.
    """
    if name == ERM:
        if options:
            raise InputError(f"debias setting 'objective_options': objective='erm' takes none, got {brief(options)}")
        return
    check_part(OBJECTIVES, name, options, _FILLED_IN, "debias setting 'objective'")


def build_objective(
    name: str,
    network: Ensemble,
    num_suspects: Sequence[int] = (),
    margin: bool = False,
    stage_one: float = 0.0,
    **options: Any,
) -> SuspectObjective:
    """Builds an objective.

    Args:
        name: One of :func:`known_objectives`.
        network: What is trained by it.
        num_suspects: Number of codes of each declared suspect.
        margin: Whether logits are trained beside ``Targets.margin``.
        stage_one: Share of all epochs in which only cross-entropy acts.
        **options: The objective's own options.

    Raises:
        InputError: The name is unknown, or the objective does not take an option.
    """
    return build_part(OBJECTIVES, name, network, num_suspects, margin=margin, stage_one=stage_one, **options)
