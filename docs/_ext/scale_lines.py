"""Lines of ``benchmarks/larger_than_memory.py``: what each step took, and what follows for other sizes.

Processor seconds, not the clock, are carried over from one size to another: a machine that does other work as well has
long hours and the same processor seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from result_lines import newest
from rst_table import list_table

Line = dict[str, Any]
STEPS = ("exports", "build", "train", "predict", "evaluate")
SIZES = (10**5, 10**6, 10**7, 10**8)
GIB = 2**30


def larger_than_memory(lines: list[Line]) -> list[str]:
    """The measured table, what follows for larger cohorts, and how time and memory grow."""
    found = measured(lines)
    out = [*list_table(measured_rows(found)), "", *growth(found), ""]
    return [*out, *list_table(paper_rows(found)), ""]


def measured(lines: list[Line]) -> dict[tuple[str, int, str], Line]:
    """The newest line of each engine, number of patients and step that ended well and had no limit of memory."""
    good = [line for line in lines if line["exit_code"] == 0 and line["limit_gib"] is None]
    return newest(good, lambda line: (line["engine"] or "duckdb", line["patients"], line["step"]))


def measured_rows(found: dict[tuple[str, int, str], Line]) -> list[list[str]]:
    """One row per engine, size and step."""
    rows = [
        [
            "patients",
            "step",
            "seconds",
            "processor seconds",
            "memory of its own, GiB",
            "mapped files, GiB",
            "load before",
        ]
    ]
    for engine, patients, step in sorted(found, key=lambda key: (key[1], key[0], STEPS.index(key[2]))):
        line = found[engine, patients, step]
        name = step if engine == "duckdb" else f"{step}, {engine}"
        rows.append(
            [
                f"{patients:,}",
                name,
                f"{line['seconds']:.0f}",
                f"{line['cpu_seconds']:.0f}" if engine == "duckdb" else "–",  # Java's are not counted
                f"{line['own_bytes'] / GIB:.2f}",
                f"{line['mapped_bytes'] / GIB:.2f}",
                f"{line['load']:.1f}",
            ]
        )
    return rows


def growth(found: dict[tuple[str, int, str], Line]) -> list[str]:
    """Processor seconds per patient at the largest size over those at the size before, step by step."""
    sizes = _sizes(found)
    if len(sizes) < 2:
        return []
    small, large = sizes[-2:]
    parts = []
    for step in STEPS[1:]:
        pair = [found.get(("duckdb", size, step)) for size in (small, large)]
        if pair[0] is not None and pair[1] is not None:
            ratio = pair[1]["cpu_seconds"] / large / (pair[0]["cpu_seconds"] / small)
            parts.append(f"{step} {ratio:.2f}")
    return [f"Processor seconds per patient of {large:,} patients over those of {small:,}: {', '.join(parts)}."]


def paper_rows(found: dict[tuple[str, int, str], Line]) -> list[list[str]]:
    """Carried over in a straight line from the two largest sizes: bytes of the graph, hours, and memory of its own."""
    sizes, rows = _sizes(found), [["patients", "graph, GB", *(f"{step}: hours / GiB" for step in STEPS[1:])]]
    if len(sizes) < 2:
        return rows
    for patients in SIZES:
        graph = _at(patients, sizes[-2:], [found["duckdb", size, "build"]["graph_bytes"] for size in sizes[-2:]])
        row = [f"{patients:,}", _short(graph / 1e9)]
        for step in STEPS[1:]:
            pair = [found.get(("duckdb", size, step)) for size in sizes[-2:]]
            if None in pair:
                row.append("–")
                continue
            seconds, own = (
                _at(patients, sizes[-2:], [line[key] for line in pair if line]) for key in ("cpu_seconds", "own_bytes")
            )
            row.append(f"{_short(seconds / 3600)} / {_short(own / GIB)}")
        rows.append(row)
    return rows


def _sizes(found: dict[tuple[str, int, str], Line]) -> list[int]:
    return sorted({patients for engine, patients, step in found if engine == "duckdb" and step == "build"})


def _at(patients: int, sizes: Sequence[int], values: Sequence[float]) -> float:
    """The straight line through two points; never below what was measured at the smaller of both."""
    slope = (values[1] - values[0]) / (sizes[1] - sizes[0])
    return max(values[0] + slope * (patients - sizes[0]), min(values))


def _short(value: float) -> str:
    """Two digits, or whole numbers."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"
