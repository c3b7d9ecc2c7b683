"""Wide exports: thousands of columns, hundreds of modalities, thousands of embedding components.

    python benchmarks/many_columns.py [table modalities embedding events] [--dry]

Each shape is built once in a process of its own (peak memory is a process's). What was read is counted before a line is
written: a build that lost a column gives no figure. The bars are those of the issue: 60 s and 2 GB for the table, 60 s
for the modalities, 20 s for the embedding.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from results_line import append_line

#: What -> patients, columns, seconds and bytes allowed (None = no bar).
SHAPES: dict[str, tuple[int, int, float | None, float | None]] = {
    "table": (2000, 5000, 60.0, 2e9),
    "modalities": (300, 500, 60.0, None),
    "embedding": (2000, 2000, 20.0, None),
    "events": (2000, 1000, None, None),
}


def build(what: str, patients: int, columns: int) -> dict[str, Any]:
    """Writes a wide CSV file and builds it; seconds and peak memory of the build alone."""
    from gdsfd.cohort.build import build_cohort
    from gdsfd.cohort.spec import CohortSpec

    random = np.random.default_rng(0)
    ids = [f"P{k:05d}" for k in range(patients)]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        died = np.where(np.arange(patients) % 3 == 0, "yes", "no")
        pd.DataFrame({"pid": ids, "died": died}).to_csv(place / "cohort.csv", index=False)
        shape = (patients, columns)
        values = random.integers(0, 2, shape) if what == "table" else np.round(random.normal(size=shape), 4)
        frame = pd.DataFrame(values, columns=[f"e_{k}" for k in range(columns)])
        frame.insert(0, "pid", ids)
        frame.to_csv(place / "wide.csv", index=False)
        source = {"source": "wide.csv", "id": "pid"}
        modality: list[dict[str, Any]] = {
            "table": [{**source, "name": "m", "kind": "table"}],
            "modalities": [{**source, "name": f"m{k}", "kind": "table", "columns": [f"e_{k}"]} for k in range(columns)],
            "embedding": [{**source, "name": "m", "kind": "embedding", "columns": "e_*"}],
            "events": [{**source, "name": "m", "kind": "events", "values": "e_*", "min_count": 1}],
        }[what]
        spec = CohortSpec(
            base_dir=place,
            cohort={"source": "cohort.csv", "id": "pid"},
            outcome={"name": "death", "column": "died", "positive": "yes", "negative": "no"},
            modality=modality,
        )
        start, cpu = time.perf_counter(), time.process_time()
        cohort = build_cohort(spec, progress=False)
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    fields = cohort.schema.modalities
    found = {
        "table": len(fields[0].numeric),
        "modalities": len(fields),
        "embedding": fields[0].width,
        "events": len(fields[0].items),
    }[what]
    if found != columns:
        raise SystemExit(f"{what}: expected {columns} columns, got {found}; no figure is written")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"seconds": seconds, "cpu_seconds": cpu, "peak_bytes": peak}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", choices=[*SHAPES, []], default=[])
    parser.add_argument("--dry", action="store_true", help="print, write no line")
    parser.add_argument("--size", type=float, default=1.0, help="share of patients and columns, to try it out")
    parser.add_argument("--one", choices=SHAPES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        patients, columns = (max(12, round(size * given.size)) for size in SHAPES[given.one][:2])
        print(json.dumps(build(given.one, patients, columns)))
        return
    for what in given.what or SHAPES:
        patients, columns = (max(12, round(size * given.size)) for size in SHAPES[what][:2])
        command = [sys.executable, __file__, "--one", what, "--size", str(given.size)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        figures = json.loads(done.stdout.splitlines()[-1])
        most_seconds, most_bytes = SHAPES[what][2:]
        kept = (most_seconds is None or figures["seconds"] <= most_seconds) and (
            most_bytes is None or figures["peak_bytes"] <= most_bytes
        )
        print(
            f"{what}: {patients} patients x {columns}: {figures['seconds']:.1f} s ({figures['cpu_seconds']:.1f} s of "
            f"processor time), {figures['peak_bytes'] / 1e9:.2f} GB: {'kept' if kept else 'MISSED'}"
        )
        if not given.dry:
            bars = {"most_seconds": most_seconds, "most_bytes": most_bytes, "kept": kept}
            append_line("many_columns.jsonl", what=what, patients=patients, columns=columns, **figures, **bars)


if __name__ == "__main__":
    main()
