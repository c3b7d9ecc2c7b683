"""A made-up line of results."""

from __future__ import annotations

from typing import Any

PLACE = {"processor": "Some CPU", "threads": 2, "load": 0.1, "device": "cpu", "dtype": "float32"}


def line(contestant: str, patients: int = 1000, mode: str = "forward", seconds: float = 0.02, **other: Any) -> dict:
    shape = {"patients": patients, "modalities": 5, "density": 0.6, "channels": 64, "layers": 2, "edges": 3 * patients}
    times = {"seconds": seconds, "seconds_low": 0.9 * seconds, "seconds_high": 1.2 * seconds, "repetitions": 3}
    what = {"benchmark": "message_passing", "part": "encoder", "contestant": contestant, "mode": mode, "shape": shape}
    return {**what, **times, **PLACE, "edges_per_second": 3 * patients / seconds, **other}
