"""Timing of contestants in interleaved turns."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch.utils.benchmark import Timer

__all__ = ["Timing", "in_turns", "timed"]

_LONG_ENOUGH = 0.02  #: seconds of one turn at least; below, the clock and the Python around it show


@dataclass
class Timing:
    """Seconds per call, one entry per turn."""

    seconds: list[float] = field(default_factory=list)

    def quantile(self, share: float) -> float:
        """A quantile of the seconds."""
        return float(torch.tensor(self.seconds, dtype=torch.float64).quantile(share))

    @property
    def median(self) -> float:
        """The middle of the turns, in seconds."""
        return self.quantile(0.5)

    def fields(self) -> dict[str, float | int]:
        """The fields of a line of results."""
        quartiles = {"seconds_low": self.quantile(0.25), "seconds_high": self.quantile(0.75)}
        return {"seconds": self.median, **quartiles, "repetitions": len(self.seconds)}


def timed(call: Callable[[], object], times: int, threads: int, device: str) -> float:
    """Seconds per call of one turn: ``torch.utils.benchmark.Timer`` on the CPU, events on a GPU.

    Args:
        call: What is timed; the timer calls it once before, not counted.
        times: Calls in a turn (GPU; on the CPU the timer repeats what is short by itself).
        threads: Threads of torch (CPU).
        device: ``cpu`` or ``cuda``.
    """
    if device == "cpu":
        timer = Timer("call()", globals={"call": call}, num_threads=threads)
        return float(timer.blocked_autorange(min_run_time=_LONG_ENOUGH).median)
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    torch.cuda.synchronize()
    start.record()
    for _ in range(times):
        call()
    end.record()
    torch.cuda.synchronize()
    return start.elapsed_time(end) / 1000 / times


def in_turns(
    calls: dict[str, Callable[[], object]], turns: int, threads: int = 1, device: str = "cpu", budget: float = 60.0
) -> dict[str, Timing]:
    """Times contestants side by side: A, B, A, B, ... so that a slow minute of the machine hits all of them.

    Args:
        calls: Contestant -> what is timed. Each is called twice before, which is not counted.
        turns: Turns per contestant; fewer, but at least 3, where they would take longer than the budget.
        threads: Threads of torch (CPU).
        device: ``cpu`` or ``cuda``.
        budget: Seconds for all turns together.
    """
    times, round_seconds = {}, 0.0
    for name, call in calls.items():
        call()
        if device != "cpu":
            torch.cuda.synchronize()
        start = time.perf_counter()
        call()
        if device != "cpu":
            torch.cuda.synchronize()
        seconds = max(time.perf_counter() - start, 1e-7)
        times[name] = max(1, round(_LONG_ENOUGH / seconds))
        round_seconds += 2 * max(seconds, _LONG_ENOUGH)
    turns = min(turns, max(3, int(budget / round_seconds)))
    found = {name: Timing() for name in calls}
    for turn in range(turns):
        # Every other turn backwards: nobody always follows the one that leaves the caches cold.
        order = list(calls.items()) if turn % 2 == 0 else list(calls.items())[::-1]
        for name, call in order:
            found[name].seconds.append(timed(call, times[name], threads, device))
    return found
