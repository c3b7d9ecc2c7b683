"""What heads read of all patients of a batch, where several processes have each embedded some of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from gdsfd.errors import InputError
from gdsfd.ops.over_ranks import all_rows_needed, rows_of_all_ranks

__all__ = ["all_patients"]

#: What stays with whom it is of: no head and no objective reads tokens or masks of a training batch.
_OWN = ("tokens", "mask")


def all_patients(bodies: Sequence[Mapping[str, Tensor]], presence: Tensor) -> tuple[list[dict[str, Tensor]], Tensor]:
    """Of this process's patients to all of the batch's; in a training by one process what is given.

    Args:
        bodies: What each member's heads read (:meth:`~gdsfd.nn.predictor.Predictor.body`).
        presence: bool [b, K].

    Returns:
        Both with rows of all patients. Masks stay what they are, tokens are left out.

    Raises:
        InputError: A backbone adds a loss of its own, which is a mean over the patients that one process has.
    """
    if not all_rows_needed():
        return [dict(body) for body in bodies], presence
    if any("loss" in body for body in bodies):
        raise InputError("setting 'devices': a backbone adds a loss of its own over a batch; expected devices=1")
    names = [[name for name in body if name not in _OWN] for body in bodies]
    flat = [body[name] for body, own in zip(bodies, names) for name in own]
    *found, everywhere = rows_of_all_ranks([*flat, presence])
    rows = iter(found)
    return [
        {name: next(rows) for name in own} | {name: body[name] for name in body if name == "mask"}
        for body, own in zip(bodies, names)
    ], everywhere
