"""The device and the precision that a training asks for."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from lightning_fabric import Fabric
from torch import distributed

from gdsfd.errors import InputError, cell_text
from gdsfd.training.config import TrainConfig

__all__ = ["check_device", "make_fabric", "read_device", "without_hints"]


def check_device(config: TrainConfig) -> None:
    """Refuses a device that is not there, before any work.

    Raises:
        InputError: Says which, and what to ask for instead.
    """
    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    there = {"auto": True, "cpu": True, "cuda": cuda, "mps": mps, "gpu": cuda or mps}
    if not there[config.accelerator]:
        raise InputError(
            f"setting 'accelerator': {config.accelerator!r} was asked for, but torch {torch.__version__} finds no such "
            "device here; use 'auto' or 'cpu'"
        )
    if config.devices > 1:
        _check_several(config, cuda)
    if config.precision == "16-mixed" and (config.accelerator == "cpu" or not (cuda or mps)):
        raise InputError("setting 'precision': '16-mixed' needs a GPU; on a CPU use 'bf16-mixed' or '32-true'")


def _check_several(config: TrainConfig, cuda: bool) -> None:
    meant = {"auto": "cuda" if cuda else "cpu", "gpu": "cuda" if cuda else "mps"}
    on = meant.get(config.accelerator, config.accelerator)
    if on == "mps":
        raise InputError(
            f"setting 'devices': there is one device of kind 'mps', {config.devices} were asked for; use 1"
        )
    if on == "cuda" and torch.cuda.device_count() < config.devices:
        raise InputError(
            f"setting 'devices': {config.devices} were asked for, but torch {torch.__version__} finds "
            f"{torch.cuda.device_count()} CUDA devices here; use fewer, or accelerator='cpu'"
        )
    if not distributed.is_available():
        raise InputError(
            f"setting 'devices': torch {torch.__version__} was built without torch.distributed, which several "
            "processes need; use devices=1"
        )
    if distributed.is_initialized():
        raise InputError(
            "setting 'devices': this process is already one of a torch.distributed group, and training would make its "
            "own; call it outside of torchrun, or use devices=1"
        )


def read_device(device: str | torch.device) -> torch.device:
    """A device to predict on, as torch names it.

    Args:
        device: ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``; ``"gpu"``: CUDA or MPS; ``"auto"``: these, or the CPU.

    Raises:
        InputError: It is no such name, or the device is not there.
    """
    cuda = torch.cuda.device_count() if torch.cuda.is_available() else 0
    there = {"cpu": 1, "cuda": cuda, "mps": int(torch.backends.mps.is_available())}
    if device in ("auto", "gpu"):
        device = next((name for name in ("cuda", "mps") if there[name]), "cpu" if device == "auto" else "cuda")
    try:
        found = torch.device(device)
    except (RuntimeError, TypeError):
        raise InputError(
            f"device: expected 'auto', 'cpu', 'cuda', 'cuda:1', 'gpu' or 'mps', got {cell_text(device)}"
        ) from None
    if (found.index or 0) >= there.get(found.type, 0):
        raise InputError(f"device: {device!s} was asked for, but torch {torch.__version__} finds no such device here")
    return torch.device("cuda", found.index or 0) if found.type == "cuda" else torch.device(found.type)


def make_fabric(config: TrainConfig, rank: int = 0) -> Fabric:
    """The device and the precision of a training. Settings of the whole process stay as they are.

    Args:
        config: A resolved configuration.
        rank: Of this process among those that train together, each of which has a GPU of its own.
    """
    with without_hints():
        fabric = Fabric(accelerator=config.accelerator, devices=1, precision=config.precision)
        if rank and fabric.device.type == "cuda":
            return Fabric(accelerator=config.accelerator, devices=[rank], precision=config.precision)
        return fabric


@contextmanager
def without_hints() -> Iterator[None]:
    """Inside, what Fabric and torch tell people who call them directly is not shown.

    Fabric recommends settings of the whole process (``set_float32_matmul_precision``), launchers, and repeats the
    precision; torch recommends to decide on checks of sparse tensors, which ours have been through.
    """
    log = logging.getLogger("lightning_fabric")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Sparse invariant checks")
            warnings.filterwarnings("ignore", message=".*(srun|matmul_precision|num_workers|MASTER_|tensor cores)")
            yield
    finally:
        log.setLevel(level)
