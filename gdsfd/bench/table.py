"""Tables of benchmark results for the terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gdsfd.cohort.receipt.text_table import WIDTH, text_table
from gdsfd.result_lines import Line

__all__ = ["bench_table", "gibibytes", "seconds_text"]


def seconds_text(seconds: float) -> str:
    """Seconds with a fitting unit.

    Example:
        >>> seconds_text(0.01234), seconds_text(12.34), seconds_text(4.2e-5)
        ('12.3 ms', '12.3 s', '42.0 us')
    """
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}" if seconds >= 100 * size else f"{seconds / size:.1f} {unit}"
    return f"{seconds / 1e-6:.1f} us"


def gibibytes(number: float) -> str:
    """Bytes in GiB, small numbers in MiB.

    Example:
        >>> gibibytes(3 * 2**30), gibibytes(5 * 2**20)
        ('3.00 GiB', '5 MiB')
    """
    return f"{number / 2**30:.2f} GiB" if number >= 2**30 else f"{number / 2**20:.0f} MiB"


def _spread(low: float, high: float) -> str:
    ends = [seconds_text(low).split(), seconds_text(high).split()]
    if ends[0][1] == ends[1][1]:
        return f"{ends[0][0]} - {' '.join(ends[1])}"
    return " - ".join(" ".join(end) for end in ends)


def _count(value: float) -> str:
    return f"{value / 1e6:.2f} M" if value >= 1e6 else f"{value:,.0f}"


#: Field -> column and how its values are shown; a column appears when a line has the field.
_COLUMNS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "speedup_over_plain": ("plain / it", "{:.2f}".format),
    "speedup_over_pyg": ("pyg / it", "{:.2f}".format),
    "times_bare_products": ("it / products", "{:.2f}".format),
    "times_erm": ("it / ERM", "{:.2f}".format),
    "edges_per_second": ("edges/s", _count),
    "patients_per_second": ("patients/s", _count),
    "events_per_second": ("events/s", _count),
    "bytes_per_second": ("GB/s", lambda value: f"{value / 1e9:.1f}"),
    "copy_share": ("of copy", "{:.0%}".format),
    "flops_per_second": ("GFLOP/s", lambda value: f"{value / 1e9:.0f}"),
    "cost_per_edge_ratio": ("cost/edge", "{:.2f}".format),
    "step_bytes": ("own mem.", gibibytes),
    "peak_bytes": ("process", gibibytes),
}


def bench_table(lines: Sequence[Line], width: int = WIDTH) -> str:
    """One table per shape, part and mode, the fastest contestant first in none: the order is that of the lines.

    Args:
        lines: Measurements.
        width: Columns of text; what a table has no room for follows below it.
    """
    groups: dict[str, list[Line]] = {}
    for line in lines:
        groups.setdefault(_title(line), []).append(line)
    out: list[str] = []
    for title, members in groups.items():
        shown = [name for name in _COLUMNS if any(name in line for line in members)]
        header = ["", "median", "quartiles", *(_COLUMNS[name][0] for name in shown)]
        rows = []
        for line in members:
            spread = _spread(line["seconds_low"], line["seconds_high"])
            cells = [_COLUMNS[name][1](line[name]) if name in line else "" for name in shown]
            rows.append([line["contestant"], seconds_text(line["seconds"]), spread, *cells])
        out += [title, *text_table(header, rows, width=width), ""]
    return "\n".join([*out, *_machine(lines)])


def _title(line: Line) -> str:
    shape = line["shape"]
    if "events" in shape:
        return f"ingest, {line['measures']}: {shape['events']:,} events of {shape['patients']:,} patients"
    what = " ".join(str(line[key]) for key in ("benchmark", "model", "part") if key in line).replace("_", " ")
    size = f"{shape['patients']:,} patients x {shape['modalities']}, density {shape['density']:g}"
    batch = f", batches of {shape['batch']}" if "batch" in shape else ""
    width = f"{shape['channels']} channels, {shape['layers']} layers, {line['dtype']}"
    return f"{what}, {line['mode']}: {size}, {width}{batch}"


def _machine(lines: Sequence[Line]) -> list[str]:
    if not lines:
        return []
    line = lines[-1]
    rates = ""
    if "copy_bytes_per_second" in line:
        rates = f", copy {line['copy_bytes_per_second'] / 1e9:.1f} GB/s"
    fastest = {each["dtype"]: each["matrix_flops_per_second"] for each in lines if "matrix_flops_per_second" in each}
    rates += "".join(f", matrix products {rate / 1e9:.0f} GFLOP/s ({dtype})" for dtype, rate in fastest.items())
    busy = " The machine is busy: times are rough." if line["load"] > max(line["threads"] / 2, 0.5) else ""
    threads = "1 thread" if line["threads"] == 1 else f"{line['threads']} threads"
    return [f"{line['processor']}, {threads}, load before {line['load']:g}{rates}.{busy}"]
