"""Benchmark of ingestion: many long-form events by gdsfd and by a straightforward pandas version of the same.

``process`` times whole processes, from start to exit: ``gdsfd build SPEC --out DIR`` as typed, and a pandas script that
writes its arrays. ``work`` times the aggregation alone, without interpreter start, imports and writing. ``peak_bytes``
is the kernel's account of the whole process in both cases. gdsfd also fits scales, keeps account of what it drops and
looks for leaks; pandas does not.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from gdsfd.bench.ingest_exports import BIN_MINUTES, ITEMS
from gdsfd.bench.ingest_parts import CONTESTANTS
from gdsfd.bench.options import Options
from gdsfd.bench.timing import Timing
from gdsfd.errors import GdsfdError
from gdsfd.result_lines import Line, environment

__all__ = ["bench_ingest"]


def bench_ingest(events: int, patients: int, measures: str, repetitions: int, options: Options) -> list[Line]:
    """Writes exports into a temporary folder, lets both contestants take turns, compares what they made.

    Args:
        events: Rows of the event table.
        patients: Rows of the cohort table.
        measures: ``process`` or ``work``.
        repetitions: Processes per contestant.
        options: How to measure; the device plays no part.

    Returns:
        One line per contestant.

    Raises:
        GdsfdError: A process failed, or the contestants' arrays differ.
    """
    place = environment(options.threads, "cpu")
    measured: dict[str, list[tuple[float, int]]] = {name: [] for name in CONTESTANTS}
    with tempfile.TemporaryDirectory(prefix="gdsfd-ingest-") as name:
        folder = Path(name)

        def part(what: str) -> list[str]:
            numbers = [str(number) for number in (events, patients, options.seed)]
            return ["-m", "gdsfd.bench.ingest_parts", what, str(folder), *numbers]

        commands = {contestant: part(contestant) for contestant in CONTESTANTS}
        if measures == "process":
            commands["gdsfd"] = ["-m", "gdsfd", "build", str(folder / "spec.toml"), "--out", str(folder / "graph")]
        options.tell(f"ingest: writing {events:,} events")
        _in_process(part("write"), options.threads)
        for repetition in range(repetitions):
            for contestant, command in commands.items():
                options.tell(f"ingest: {contestant}, {repetition + 1} of {repetitions}")
                if measures == "process" and contestant == "gdsfd" and repetition:
                    shutil.rmtree(folder / "graph")
                seconds, peak, said = _in_process(command, options.threads)
                measured[contestant].append((seconds if measures == "process" else float(said), peak))
            if repetition == 0:
                _in_process(part("compare"), options.threads)
    shape = {"events": events, "patients": patients, "items": ITEMS, "bin_minutes": BIN_MINUTES}
    lines = []
    for contestant, results in measured.items():
        line: Line = {"benchmark": "ingest", "contestant": contestant, "measures": measures, "mode": measures}
        line |= Timing([seconds for seconds, _ in results]).fields()
        line |= {"peak_bytes": max(peak for _, peak in results), "shape": shape, "dtype": "float64 in, float32 out"}
        line |= {"events_per_second": events / line["seconds"], "seed": options.seed}
        lines.append({**line, **place})
    return lines


# The kernel hands a parent's peak down to its child, and this process has imported torch: so a small process stands
# between, which starts the measured one and waits for it.
_BETWEEN = """
import json, os, subprocess, sys, time
start = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, text=True)
said = process.stdout.read()
_, status, usage = os.wait4(process.pid, 0)
seconds = time.perf_counter() - start
print(json.dumps([os.waitstatus_to_exitcode(status), seconds, usage.ru_maxrss * 1024, said.splitlines()[-1:]]))
"""


def _in_process(command: list[str], threads: int) -> tuple[float, int, str]:
    """Runs a command of Python in a fresh process; its wall seconds, peak resident bytes and last line of output."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    words = [sys.executable, "-S", "-c", _BETWEEN, sys.executable, "-W", "ignore", *command]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    code, seconds, peak, said = json.loads(done.stdout) if not done.returncode else (done.returncode, 0.0, 0, [])
    if code:
        raise GdsfdError(f"{' '.join(command[1:3])} failed with {code}: {done.stderr.strip()}")
    return seconds, peak, "".join(said)
