"""Modules with buffers whose sizes are known only after fitting, and that load all the same."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import nn

__all__ = ["FittedBuffers"]


class FittedBuffers(nn.Module):
    """A module some of whose buffers take the shape that a checkpoint has them in.

    A fresh module cannot know how many strata were fitted. Only the buffers named in :attr:`sized_by_data` are resized,
    and only to a shape with as many dimensions; any other mismatch stays the error that torch makes of it. Those in
    :attr:`no_longer_kept` were written by earlier versions and are left.
    """

    sized_by_data: ClassVar[tuple[str, ...]] = ()
    no_longer_kept: ClassVar[tuple[str, ...]] = ()

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any, **kwargs: Any) -> None:
        for name in self.no_longer_kept:
            state_dict.pop(prefix + name, None)
        for name in self.sized_by_data:
            stored, own = state_dict.get(prefix + name), self._buffers[name]
            if stored is not None and own is not None and stored.dim() == own.dim():
                self._buffers[name] = own.new_empty(stored.shape)
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)
