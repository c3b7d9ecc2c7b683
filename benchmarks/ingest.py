"""Ingestion of many long-form events: gdsfd.cohort beside a straightforward pandas version of the same aggregation.

Writes Parquet exports into a temporary folder, lets both contestants build hourly means and per-item summaries in
processes of their own, compares the outputs, and appends one line per contestant to ``results/ingest.jsonl``::

    python benchmarks/ingest.py --events 20000000 --patients 200000

Seconds are those of the work itself, without interpreter start and imports; ``peak_bytes`` is the process's peak
resident memory, imports included. ``gdsfd`` also fits scales, keeps account of what it drops and looks for leaks;
``pandas`` does not.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

ITEMS = 30
WINDOW_MINUTES = 2880
BIN_MINUTES = 60
RESULTS = Path(__file__).parent / "results" / "ingest.jsonl"
CELLS = ("row", "step", "item", "value")
SUMMARY = ("count", "mean", "min", "max", "first", "last")


def write_exports(folder: Path, events: int, patients: int, seed: int) -> None:
    """Writes ``cohort.parquet`` and ``events.parquet``; events come in random order, a few outside the window.

    Args:
        folder: Where to write.
        events: Rows of the event table.
        patients: Rows of the cohort table.
        seed: Of the random numbers.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    random = np.random.default_rng(seed)
    ids = np.arange(patients, dtype=np.int64) + 30_000_000
    labels = (random.random(patients) < 0.1).astype(np.int8)
    pq.write_table(pa.table({"stay": ids, "died": labels}), folder / "cohort.parquet")
    names = pa.array([f"item {k:02d}" for k in range(ITEMS)])
    writer: Any = None
    for start in range(0, events, 1_000_000):
        rows = min(1_000_000, events - start)
        items = pa.array((random.beta(1, 2, rows) * ITEMS).astype(np.int32))
        piece = pa.table(
            {
                "stay": ids[random.integers(0, patients, rows)],
                "minute": random.integers(-60, WINDOW_MINUTES + 60, rows),
                "item": pa.DictionaryArray.from_arrays(items, names),
                "value": np.round(random.normal(80, 20, rows), 2),
            }
        )
        writer = writer or pq.ParquetWriter(folder / "events.parquet", piece.schema)
        writer.write_table(piece)
    writer.close()


def run_gdsfd(folder: Path) -> tuple[float, dict[str, Any]]:
    """Builds the cohort with gdsfd; returns seconds and arrays."""
    from gdsfd.cohort.build import build_cohort
    from gdsfd.cohort.spec import CohortSpec

    fields = {"time": "minute", "item": "item", "value": "value", "min_count": 1}
    fields |= {"window": [0, WINDOW_MINUTES], "bin": BIN_MINUTES}
    spec = CohortSpec(
        base_dir=folder,
        cohort={"source": "cohort.parquet", "id": "stay"},
        outcome={"name": "death", "column": "died", "positive": 1},
        modality={"name": "events", "kind": "events", "source": "events.parquet", "id": "stay", **fields},
    )
    start = time.perf_counter()
    cohort = build_cohort(spec, progress=False)
    seconds = time.perf_counter() - start
    seen: Any = cohort.observations["events"]
    arrays = {
        "row": np.repeat(seen.patient, np.diff(seen.ptr)).astype(np.int32),
        "step": seen.step,
        "item": seen.item,
        "value": seen.value,
        "summary_row": np.repeat(seen.patient, np.diff(seen.summary_ptr)).astype(np.int32),
        "summary_item": seen.summary_item,
        **{name: seen.summary[:, k] for k, name in enumerate(SUMMARY)},
    }
    return seconds, arrays


def run_pandas(folder: Path) -> tuple[float, dict[str, Any]]:
    """The same aggregation as one would write it in pandas; returns seconds and arrays."""
    import pandas as pd

    start = time.perf_counter()
    cohort = pd.read_parquet(folder / "cohort.parquet")
    events = pd.read_parquet(folder / "events.parquet")
    events = events[(events.minute >= 0) & (events.minute < WINDOW_MINUTES)]
    rows = pd.DataFrame({"stay": cohort.stay, "row": np.arange(len(cohort), dtype=np.int32)})
    events = events.merge(rows, on="stay")
    events["step"] = events.minute // BIN_MINUTES
    cells = events.groupby(["row", "step", "item"], observed=True).value.mean().reset_index()
    events = events.sort_values(["row", "item", "minute", "value"])
    groups = events.groupby(["row", "item"], observed=True).value
    summary = groups.agg(list(SUMMARY)).reset_index()
    arrays = {name: cells[name].to_numpy() for name in ("row", "step")}
    arrays |= {"item": cells["item"].cat.codes.to_numpy(), "value": cells.value.to_numpy(np.float32)}
    arrays |= {"summary_row": summary.row.to_numpy(), "summary_item": summary["item"].cat.codes.to_numpy()}
    arrays |= {name: summary[name].to_numpy(np.float32) for name in SUMMARY}
    return time.perf_counter() - start, arrays


def contest(name: str, folder: Path) -> dict[str, Any]:
    """Runs one contestant in this process, stores its arrays, and says how long it took and its peak memory."""
    seconds, arrays = {"gdsfd": run_gdsfd, "pandas": run_pandas}[name](folder)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    for key, array in arrays.items():
        np.save(folder / f"{name} {key}.npy", np.asarray(array))
    return {"seconds": seconds, "peak_bytes": peak}


def compare(folder: Path) -> None:
    """Raises when the contestants' arrays differ."""
    for key in (*CELLS, "summary_row", "summary_item", *SUMMARY):
        first, second = (np.load(folder / f"{name} {key}.npy", mmap_mode="r") for name in ("gdsfd", "pandas"))
        if first.shape != second.shape or not np.allclose(first, second, rtol=1e-5, atol=1e-5):
            raise SystemExit(
                f"the contestants differ in {key!r}: {first.shape} {first[:5]}, {second.shape} {second[:5]}"
            )


def measure(name: str, folder: Path, threads: int) -> dict[str, Any]:
    """Runs one contestant in a fresh process."""
    command = [sys.executable, "-W", "ignore", __file__, "--contestant", name, "--folder", str(folder)]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Reads the command line, measures in turns, compares, writes lines."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=20_000_000)
    parser.add_argument("--patients", type=int, default=200_000)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, default=RESULTS, help="file that lines are appended to")
    parser.add_argument("--contestant", choices=["gdsfd", "pandas"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.contestant:
        print(json.dumps(contest(given.contestant, given.folder)))
        return
    threads = os.cpu_count() or 1
    load = os.getloadavg()[0]
    measured: dict[str, list[dict[str, Any]]] = {"gdsfd": [], "pandas": []}
    with tempfile.TemporaryDirectory(prefix="gdsfd-ingest-") as name:
        folder = Path(name)
        write_exports(folder, given.events, given.patients, given.seed)
        for repetition in range(given.repetitions):
            for contestant, results in measured.items():
                results.append(measure(contestant, folder, threads))
            if repetition == 0:
                compare(folder)
    given.json.parent.mkdir(parents=True, exist_ok=True)
    with given.json.open("a") as stream:
        for contestant, results in measured.items():
            line = result_line(contestant, results, given, threads, load)
            stream.write(json.dumps(line) + "\n")
            print(f"{contestant}: {line['seconds']:.1f} s, peak {line['peak_bytes'] / 2**30:.2f} GiB")


def result_line(
    contestant: str, results: list[dict[str, Any]], given: argparse.Namespace, threads: int, load: float
) -> dict[str, Any]:
    """One line as ``benchmarks/README.md`` describes it."""
    from gdsfd.versions import versions

    seconds = [result["seconds"] for result in results]
    low, middle, high = np.quantile(seconds, [0.25, 0.5, 0.75]).tolist()
    git = ["git", "-C", str(Path(__file__).parent)]
    commit = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True).stdout.strip()
    changed = subprocess.run([*git, "status", "--porcelain", "--", "../gdsfd"], capture_output=True, text=True).stdout
    return {
        "benchmark": "ingest",
        "contestant": contestant,
        "seconds": middle,
        "seconds_low": low,
        "seconds_high": high,
        "repetitions": len(seconds),
        "peak_bytes": max(result["peak_bytes"] for result in results),
        "shape": {"events": given.events, "patients": given.patients, "items": ITEMS, "bin_minutes": BIN_MINUTES},
        "dtype": "float64 in, float32 out",
        "device": "cpu",
        "threads": threads,
        "load": round(load, 2),
        "seed": given.seed,
        "commit": commit,
        "dirty": bool(changed.strip()),
        "versions": versions(),
        "command": f"python benchmarks/ingest.py --events {given.events} --patients {given.patients}",
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }


if __name__ == "__main__":
    main()
