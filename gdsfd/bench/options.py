"""Options common to all benchmarks: repetitions, threads, device, progress."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Options", "silent"]


def silent(text: str) -> None:
    """Tells nobody."""


@dataclass(frozen=True)
class Options:
    """How to measure.

    Args:
        device: ``cpu`` or ``cuda``.
        threads: Threads of torch.
        turns: Turns per contestant.
        budget: Seconds for all turns of one comparison; slow contestants get fewer turns, but at least 3.
        seed: Of graphs, tokens and weights.
        memory: Whether peak memory is measured too, in processes of their own.
        compiled: Whether plain PyG's message passing is also timed under ``torch.compile``, and this package's training
            step as training compiles it.
        tell: Called with what is being done now.
    """

    device: str = "cpu"
    threads: int = 1
    turns: int = 9
    budget: float = 60.0
    seed: int = 0
    memory: bool = True
    compiled: bool = False
    tell: Callable[[str], None] = silent
