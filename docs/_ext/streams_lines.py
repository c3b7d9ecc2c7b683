"""Lines on what two streams add to found strata in a default model: a table, and a sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from delivered_lines import interval
from result_lines import Line, newest, read_lines
from rst_table import list_table

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"
SPLITS = ("test_unbiased", "test_flipped")


def gaps_of(lines: list[Line], full: list[Line]) -> dict[str, np.ndarray]:
    """Design -> ``full`` less ``latent`` on both splits, a row per seed that has both; [seeds, 2]."""

    def key(line: Line) -> tuple[str, int, str]:
        return line["design"], line["seed"], line["backbone"]

    other = newest(full, key)
    found: dict[str, list[list[float]]] = {}
    for place, line in newest(lines, key).items():
        if place in other:
            own = other[place]["auroc"]["full"]
            found.setdefault(line["design"], []).append([own[split] - line["auroc"][split] for split in SPLITS])
    return {design: np.array(rows) for design, rows in found.items() if len(rows) > 1}


def over_designs(gaps: dict[str, np.ndarray]) -> list[str]:
    """The mean over designs of their means, with an interval over designs, of both splits."""
    means = np.array([each.mean(0) for each in gaps.values()])
    return [_text(means[:, split]) for split in range(len(SPLITS))]


def streams_at_default(lines: list[Line]) -> list[str]:
    """The table."""
    gaps = gaps_of(lines, read_lines(RESULTS / "forced_and_delivered.jsonl") or [])
    rows = [["design", "seeds", "unbiased", "flipped"]]
    for design, each in gaps.items():
        rows.append([f"``{design}``", str(len(each)), *(_text(each[:, split]) for split in range(len(SPLITS)))])
    rows.append(["mean over designs", "", *over_designs(gaps)])
    return [*list_table(rows), ""]


def _text(values: np.ndarray) -> str:
    mean, low, high = interval(values)
    return f"{mean:+.3f} [{low:+.3f}, {high:+.3f}]"
