"""When the prediction is made, and which rows lie before it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["bin_of", "prediction_time", "window_of"]

_DAY = 1440.0
_YEAR = 365.0 * _DAY
#: Beginnings of windows, minutes: what lies before is history that was known, as far back as rows go.
_BEGINNINGS = (0.0, -2 * _DAY, -30 * _DAY, -_YEAR, -10 * _YEAR, -100 * _YEAR)


def prediction_time(lags: Sequence[NDArray[np.float64]], hours: float | None, known: float | None) -> tuple[float, str]:
    """The end of the windows, in minutes, and why.

    Args:
        lags: Minutes since the beginning, of each timed table's rows.
        hours: What the user says, None = nothing.
        known: What a known layout says, None = nothing.

    Example:
        >>> prediction_time([np.linspace(0, 2870, 500)], None, None)[0]
        1440.0
    """
    if hours is not None:
        return hours * 60, f"{hours:g} hours after the beginning, as told"
    if known is not None:
        return known * 60, f"{known:g} hours after the beginning, as is usual for this export" if known else (
            "the prediction time itself, from which times are counted"
        )
    latest = max((float(lag.max()) for lag in lags if len(lag)), default=0.0)
    why = "24 hours after the beginning: a guess; say with --hours when predictions are to be made"
    if _DAY < latest <= 7 * _DAY:
        why += f". The export ends after {latest / 60:.0f} hours, which may be meant"
    return _DAY, why


def window_of(lags: NDArray[np.float64], end: float, steps: bool) -> tuple[float, float, str]:
    """Start and end of one table's window in minutes, and why it starts there.

    Args:
        lags: Minutes since the beginning of its rows.
        end: When the prediction is made.
        steps: Whether the rows are values in steps of minutes or hours, so that a long window has very many.
    """
    before = lags[lags < min(end, 0.0)]
    inside = (lags < end).sum()
    if end <= 0:
        start = next(
            (begin for begin in _BEGINNINGS[3:] if len(before) and (before >= begin).mean() > 0.98), _BEGINNINGS[-1]
        )
        return start, end, "all that was recorded before the prediction"
    if not len(before) or len(before) < 0.01 * max(inside, 1):
        return 0.0, end, "from the beginning to the prediction; later rows are left out"
    if steps and len(before) < 0.05 * inside:
        return 0.0, end, "from the beginning to the prediction; later rows are left out"
    far = _BEGINNINGS[:2] if steps else _BEGINNINGS
    start = next((begin for begin in far[1:] if (before >= begin).mean() > 0.9), far[-1])
    return (
        start,
        end,
        f"rows up to {-start / _DAY:g} days before the beginning were known, later than the end they are left out",
    )


def bin_of(start: float, end: float, clock: bool) -> float:
    """Minutes per step: an hour of a day or two, four of a few days, a day of anything longer or without a time of "
    "day."""
    if not clock or end - start > 14 * _DAY:
        return max(_DAY, np.ceil((end - start) / (300 * _DAY)) * _DAY)
    return 60.0 if end - start <= 2 * _DAY else 240.0
