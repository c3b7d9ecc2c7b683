"""Roofline of the machine: copy bandwidth and rate of matrix products."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from gdsfd.bench.timing import in_turns

__all__ = ["Machine", "measure_machine"]


@dataclass(frozen=True)
class Machine:
    """Measured rates.

    Args:
        copy_bytes_per_second: Bytes read and written per second by a copy between two arrays beyond the caches.
        flops_per_second: Floating-point operations per second of a square matrix product, by number type.
    """

    copy_bytes_per_second: float
    flops_per_second: dict[str, float]


def measure_machine(dtypes: dict[str, torch.dtype], threads: int, device: str = "cpu", turns: int = 5) -> Machine:
    """Measures both, in turns.

    Args:
        dtypes: Number types whose matrix rate is wanted.
        threads: Threads of torch (CPU).
        device: ``cpu`` or ``cuda``.
        turns: Blocks per measurement.
    """
    megabytes, side = (128, 1024) if device == "cpu" else (2048, 8192)
    options: dict[str, Any] = {"device": device}
    source = torch.zeros(megabytes * 2**18, **options)  # float32
    target = torch.empty_like(source)
    calls: dict[str, Any] = {"copy": lambda: target.copy_(source)}
    for name, dtype in dtypes.items():
        factor = torch.ones(side, side, dtype=dtype, **options)
        out = torch.empty_like(factor)
        calls[name] = lambda factor=factor, out=out: torch.mm(factor, factor, out=out)
    found = in_turns(calls, turns, threads, device)
    copied = 2 * source.numel() * source.element_size()
    flops = {name: 2 * side**3 / found[name].median for name in dtypes}
    return Machine(copied / found["copy"].median, flops)
