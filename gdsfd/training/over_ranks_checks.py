"""What several processes cannot train together to the same network as one, and are not asked to."""

from __future__ import annotations

from torch import nn

from gdsfd.errors import InputError
from gdsfd.nn.backbones import Backbone
from gdsfd.nn.ensemble import Ensemble
from gdsfd.training.config import TrainConfig
from gdsfd.training.hooks import BackboneHooks

__all__ = ["check_one_process", "check_over_ranks"]


def check_one_process(config: TrainConfig) -> None:
    """Refuses several processes for each of many fits, which are done side by side instead.

    Raises:
        InputError: Says so.
    """
    if config.devices > 1:
        raise InputError(
            f"setting 'devices': {config.devices} processes were asked for, but where there are many fits each is "
            "trained by one process; give jobs= (--jobs) to do several at once"
        )


def check_over_ranks(network: Ensemble, hooks: BackboneHooks, patients: int, size: int) -> None:
    """Refuses a training that several processes would do otherwise than one.

    Args:
        network: What is trained.
        hooks: Of its backbones.
        patients: That are trained on.
        size: Processes.

    Raises:
        InputError: Says why, and what to do.
    """
    if patients < 2 * size:
        raise InputError(
            f"setting 'devices': {size} processes share {patients} training patients, of whom each needs two; use fewer"
        )
    why = _why_not(network, hooks)
    if why:
        raise InputError(
            f"setting 'devices': several processes would not come to the network that one trains: {why}; use devices=1"
        )


def _why_not(network: Ensemble, hooks: BackboneHooks) -> str:
    for part in network.modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm):
            return f"{type(part).__name__} looks at all patients of a batch"
        if isinstance(part, Backbone) and (why := part.why_not_shared()):
            return why
    for there, what in (
        (hooks.replace_loss, "replaces the training loss"),
        (hooks.on_gradients, "changes gradients"),
        (hooks.read_memory, "reads in training what is fitted on training patients"),
    ):
        if there:
            return f"a backbone {what}"
    return ""
