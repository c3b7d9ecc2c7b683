"""Backends of the operations, by name; each is imported when first asked for.

A backend is a module of this folder with three functions:

- ``usable() -> bool``: whether it can run here and gives right answers; never raises.
- ``aggregate(node, edge, graph, toward, reduce, activation, mask, score) -> Tensor``: see :func:`gdsfd.ops.aggregate`.
- ``edge_update(left, right, edge, residual, graph, activation) -> Tensor``: see :func:`gdsfd.ops.edge_update`; a module
  without it is served by the reference's.

Arguments arrive checked: shapes fit, ``edge``, ``mask`` and ``score`` may be None, and may be non-contiguous.
"""

from __future__ import annotations

import importlib
from functools import cache
from types import ModuleType

from gdsfd.errors import InputError, near_names

__all__ = ["BACKENDS", "available", "backend"]

#: Every backend there is, usable on this machine or not.
BACKENDS = ("reference", "pyg", "torch_scatter", "segment", "dense", "triton")


@cache
def _module(name: str) -> ModuleType | None:
    try:
        module = importlib.import_module(f"gdsfd.ops.backends.{name}")
    except ImportError:
        return None
    return module if module.usable() else None


def available() -> tuple[str, ...]:
    """The backends that can run on this machine.

    Example:
        >>> "segment" in available()
        True
    """
    return tuple(name for name in BACKENDS if _module(name) is not None)


def backend(name: str) -> ModuleType:
    """The module of a backend.

    Raises:
        InputError: There is no such backend, or it cannot run here.
    """
    if name not in BACKENDS:
        raise InputError(f"unknown backend {name!r}.{near_names(name, (*BACKENDS, 'auto'))}")
    module = _module(name)
    if module is None:
        raise InputError(f"the backend {name!r} cannot run here; usable: {', '.join(available())}, or 'auto'")
    return module
