"""A flattened table with a cause and a shortcut, whose right answer beside the margin is known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["CAUSE", "biased_table"]

CAUSE = 1.2  #: Log-odds of the outcome per unit of the cause, given the suspect.


def biased_table(n: int, seed: int, follows: float = 0.9) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray]:
    """Two columns, a cause and the noisy trace of a suspect of two levels, labels, and the suspect.

    Given the outcome, cause and suspect are independent: ``x | y ~ N(CAUSE (y - 1/2), 1)`` and the suspect is that of
    the outcome with probability ``follows``. So the margin is known, and what is left beside it is the cause alone:
    log-odds ``CAUSE x``.

    Args:
        n: Patients.
        seed: Of the generator.
        follows: 0.5 = the suspect tells nothing.
    """
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    suspect = np.where(rng.random(n) < follows, y, 1 - y)
    x = np.column_stack([CAUSE * (y - 0.5) + rng.normal(size=n), 2.0 * suspect + rng.normal(size=n)])
    return x.astype(np.float32), y.astype(np.int64), suspect
