"""How far a comparison is: fits that have ended of all, how long one takes, and how long the rest will take."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from gdsfd.comparison.fit_log import KEY, Record, key_of
from gdsfd.comparison.fits import ORACLE, forced

__all__ = ["Countdown"]

Key = tuple[Any, ...]

_BACKBONE, _ARM = KEY.index("backbone"), KEY.index("arm")


class Countdown:
    """Puts into words how much of a comparison is left.

    Args:
        asked: Keys of all fits (:func:`~gdsfd.comparison.fit_log.key_of`). The oracle is no fit, and the debiased
            network of an arm comes with the arm.
        records: Gives the records of the fits that have ended.
        at_once: Fits at a time.
    """

    def __init__(self, asked: Iterable[Key], records: Callable[[], Sequence[Record]], at_once: int = 1) -> None:
        keys = list(dict.fromkeys(asked))
        come_along = {(*key[:_ARM], forced(key[_ARM])) for key in keys}
        self.asked = [key for key in keys if key[_ARM] != ORACLE and key not in come_along]
        self.records, self.at_once = records, at_once

    def words(self, what: str) -> str:
        """What is fitted now, with how far it is.

        Args:
            what: The fit that begins. A process's word of it may come when everything has ended: then it is not said.
        """
        ended = {key_of(each): _seconds(each) for each in self.records()}
        mine = {key: ended[key] for key in self.asked if key in ended}
        left = seconds_left([key for key in self.asked if key not in mine], mine) / self.at_once
        rate = f", {_rounded(float(np.mean(list(mine.values()))))} each" if mine else ""
        time = "" if math.isnan(left) else f", about {_rounded(left)} left"
        done = f"{len(mine)} of {len(self.asked)} fits done{rate}"
        return f"{done}{time}; now {what}" if len(mine) < len(self.asked) else done


def seconds_left(waiting: Sequence[Key], ended: dict[Key, float]) -> float:
    """How long fits will take, one after another; NaN as long as nothing like one of them has ended.

    One takes what the same arm of the same backbone took on average; else what that arm took; else what all networks
    did. Baselines are quick, networks are not: neither tells of the other.

    Args:
        waiting: Keys of the fits that are left.
        ended: Seconds of those that have ended.

    Example:
        >>> seconds_left([("g", "", 1, "muse", "full")], {("g", "", 0, "muse", "none"): 4.0})
        4.0
        >>> seconds_left([("g", "", 0, "muse", "full")], {("g", "", 0, "", "boosting"): 4.0})
        nan
    """
    left = 0.0
    for key in waiting:
        same = [seconds for each, seconds in ended.items() if each[_BACKBONE:] == key[_BACKBONE:]]
        arm = [seconds for each, seconds in ended.items() if each[_ARM] == key[_ARM]]
        kind = [seconds for each, seconds in ended.items() if bool(each[_BACKBONE]) == bool(key[_BACKBONE])]
        like = same or arm or kind
        left += float(np.mean(like)) if like else math.nan
    return left


def _seconds(record: Record) -> float:
    return float(record.get("seconds") or 0.0) + float(record.get("guard_seconds") or 0.0)


def _rounded(seconds: float) -> str:
    return f"{math.ceil(seconds / 60)} min" if seconds > 90 else f"{math.ceil(seconds)} s"
