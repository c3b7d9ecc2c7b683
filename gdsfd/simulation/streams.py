"""Named streams of random numbers: each part of a simulation has its own, so that no knob shifts the others."""

from __future__ import annotations

import zlib

import numpy as np

__all__ = ["stream"]


def stream(seed: int, name: str) -> np.random.Generator:
    """A generator that depends on the seed and the name alone.

    Args:
        seed: The simulation's seed.
        name: What is drawn, for example ``"labs.presence"``.

    Example:
        >>> float(stream(0, "a").random()) == float(stream(0, "a").random()) != float(stream(0, "b").random())
        True
    """
    return np.random.default_rng([seed, zlib.crc32(name.encode())])
