"""A dispatch mode in which nothing may wait for values."""

from __future__ import annotations

import torch
from torch.utils._python_dispatch import TorchDispatchMode


class NoSynchronisation(TorchDispatchMode):
    """Refuses what makes the host wait for a device, or a shape depend on values."""

    refused = ("nonzero", "_local_scalar_dense", "item", "masked_select", "unique", "bincount", "repeat_interleave")

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.overloadpacket.__name__
        if name in self.refused or (name in ("index", "index_put_") and _by_flags(args)):
            raise AssertionError(f"{name} in a step")
        return func(*args, **(kwargs or {}))


def _by_flags(args: tuple[object, ...]) -> bool:
    return any(each is not None and each.dtype == torch.bool for each in args[1])
