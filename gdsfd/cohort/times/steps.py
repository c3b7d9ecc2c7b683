"""Steps of time: which one a time lies in, and how many a window has, counted in whole microseconds.

Times are known to the microsecond. As floats, 4.1 hours are 245.99999999999997 minutes and 1.2 minutes hold 11.999...
times 0.1, so a time on a boundary would lie in the step, or the window, before it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["MICROSECONDS", "number_of_steps", "step_of", "to_microseconds"]

MICROSECONDS = 6e7  #: in a minute


def to_microseconds(minutes: Any) -> Any:
    """An Ibis expression of minutes, as the nearest ones that are whole microseconds; float64."""
    return (minutes * MICROSECONDS).round(0).cast("float64") / MICROSECONDS


def step_of(minutes: NDArray[np.float64], start: float, bin_minutes: float) -> NDArray[np.int64]:
    """The step that each time lies in; a time on a boundary lies in the step that begins there.

    Args:
        minutes: Times; [n].
        start: Where step 0 begins.
        bin_minutes: Minutes per step.

    Example:
        >>> step_of(np.array([0.0, 0.2, 0.3, 1.2, 4.1 * 60]), 0.0, 0.1).tolist()
        [0, 2, 3, 12, 2460]
    """
    since = np.rint(minutes * MICROSECONDS)
    since -= np.rint(start * MICROSECONDS)
    since += 0.5  # whole numbers, so this is far from every boundary
    since //= bin_minutes * MICROSECONDS
    return since.astype(np.int64)


def number_of_steps(start: float, end: float, bin_minutes: float) -> int:
    """How many steps there are from ``start`` to just before ``end``; the last may be cut off.

    Args:
        start: Minutes at which the first begins.
        end: Minutes, after ``start``.
        bin_minutes: Minutes per step.

    Example:
        >>> number_of_steps(0.0, 4.35, 0.01), number_of_steps(0.0, 100.0, 60.0)
        (435, 2)
    """
    last = np.array([end - 1 / MICROSECONDS])
    return int(step_of(last, start, bin_minutes)[0]) + 1
