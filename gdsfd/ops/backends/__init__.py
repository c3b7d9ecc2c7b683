"""Implementations of the operations on edges, by name: the one table of what runs where.

A backend is a module with these functions:

- ``usable() -> bool``: whether it can run here and gives right answers; never raises.
- ``aggregate(node, edge, graph, toward, reduce, activation, mask, score) -> Tensor``: see :func:`gdsfd.ops.aggregate`.
- ``edge_update(left, right, edge, residual, graph, activation) -> Tensor``: see :func:`gdsfd.ops.edge_update`; a module
  without it is served by the reference's.

Arguments arrive checked: shapes fit, ``edge``, ``mask`` and ``score`` may be None, and may be non-contiguous. A module
is imported when first asked for.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import cache
from types import ModuleType

from gdsfd.errors import InputError, near_names
from gdsfd.registry import Registry

__all__ = ["BACKENDS", "Backend", "available", "backend"]


@dataclass(frozen=True)
class Backend:
    """Where a backend is implemented.

    Args:
        name: What the operations' argument ``backend`` takes.
        declared_in: Path of its module.
    """

    name: str
    declared_in: str


#: Every backend there is, usable on this machine or not.
BACKENDS: Registry[Backend] = Registry("backend")
for _name in ("reference", "torch_scatter", "segment", "dense", "triton"):
    BACKENDS.register(_name)(Backend(_name, f"gdsfd.ops.backends.{_name}"))


@cache
def _module(path: str) -> ModuleType | None:
    try:
        module = importlib.import_module(path)
    except ImportError:
        return None
    return module if module.usable() else None


def available() -> tuple[str, ...]:
    """The backends that can run on this machine.

    Example:
        >>> "segment" in available()
        True
    """
    return tuple(name for name in BACKENDS.names() if _module(BACKENDS.find(name).declared_in) is not None)


def backend(name: str) -> ModuleType:
    """The module of a backend.

    Raises:
        InputError: There is no such backend, or it cannot run here.
    """
    if name not in BACKENDS:
        raise InputError(f"unknown backend {name!r}.{near_names(name, (*BACKENDS.names(), 'auto'))}")
    module = _module(BACKENDS.find(name).declared_in)
    if module is None:
        raise InputError(f"the backend {name!r} cannot run here; usable: {', '.join(available())}, or 'auto'")
    return module
