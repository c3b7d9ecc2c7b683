"""Whether operations are being written down for a compiler, and random bits that stay what they are there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

__all__ = ["is_traced", "random_bits", "traced"]

_depth = 0


@contextmanager
def traced() -> Iterator[None]:
    """Inside, operations take forms that can be written down: nothing looks at a value or writes into a given slice."""
    global _depth
    _depth += 1
    try:
        yield
    finally:
        _depth -= 1


def is_traced() -> bool:
    """Whether operations are being written down (:func:`traced`)."""
    return _depth > 0


@torch.library.custom_op("gdsfd::random_bits", mutates_args=(), tags=(torch.Tag.nondeterministic_seeded,))
def random_bits(words: int) -> Tensor:
    """64 random bits each, from torch's global generator of the CPU; int64 [words].

    An operation of its own, so that a compiled step draws what the same step draws call by call.
    """
    return torch.empty(words, dtype=torch.int64).random_(-(2**63), None)


@random_bits.register_fake
def _(words: int) -> Tensor:
    return torch.empty(words, dtype=torch.int64)
