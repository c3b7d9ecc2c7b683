"""Nested states of optimisers as tensors by name and JSON: exact, and read back without running code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

__all__ = ["join", "take_apart"]


def take_apart(value: Any) -> tuple[Any, dict[str, Tensor]]:
    """Takes the tensors out of nested dicts, lists and tuples.

    Args:
        value: Texts, numbers, truth values, None and tensors, nested; keys of dicts are texts or whole numbers.

    Returns:
        The same nest, JSON-able: ``{"tensor": name}`` in the place of a tensor, ``{"dict": [[key, value], ...]}``,
        ``{"tuple": [...]}``. And the tensors by name, on the CPU.

    Raises:
        TypeError: Something else is in it.

    Example:
        >>> take_apart({0: ("adam", 0.9)})
        ({'dict': [[0, {'tuple': ['adam', 0.9]}]]}, {})
    """
    tensors: dict[str, Tensor] = {}

    def apart(part: Any) -> Any:
        if isinstance(part, Tensor):
            name = str(len(tensors))
            tensors[name] = part.detach().cpu().contiguous()
            return {"tensor": name}
        if isinstance(part, dict):
            if any(type(key) not in (str, int) for key in part):
                raise TypeError(f"keys have to be texts or whole numbers, got {list(part)}")
            return {"dict": [[key, apart(each)] for key, each in part.items()]}
        if isinstance(part, tuple):
            return {"tuple": [apart(each) for each in part]}
        if isinstance(part, list):
            return [apart(each) for each in part]
        if part is None or type(part) in (str, bool, int, float):
            return part
        raise TypeError(f"a state of {type(part).__name__} cannot be stored")

    return apart(value), tensors


def join(nest: Any, tensors: Mapping[str, Tensor]) -> Any:
    """Puts together what :func:`take_apart` gave.

    Raises:
        KeyError: A tensor is missing.
        TypeError, ValueError: The nest is of another form.
    """
    if isinstance(nest, list):
        return [join(each, tensors) for each in nest]
    if not isinstance(nest, dict):
        return nest
    ((kind, content),) = nest.items()
    if kind == "tensor":
        return tensors[content]
    if kind == "tuple":
        return tuple(join(each, tensors) for each in content)
    if kind == "dict":
        return {key: join(each, tensors) for key, each in content}
    raise ValueError(f"unknown entry {kind!r}")
