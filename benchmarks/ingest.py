"""Ingestion of many long-form events: gdsfd beside a straightforward pandas version of the same aggregation.

Writes Parquet exports and a spec into a temporary folder, lets both contestants build hourly means and per-item
summaries in processes of their own, compares what they made, and appends one line per contestant to
``results/ingest.jsonl``::

    python benchmarks/ingest.py --events 20000000 --patients 200000
    python benchmarks/ingest.py --events 20000000 --patients 200000 --measure work

``--measure process`` (the default) times whole processes, from start to exit: ``gdsfd build SPEC --out DIR`` as typed,
and a pandas script that writes its arrays. ``--measure work`` times the aggregation alone (``build_cohort`` against the
pandas function), without interpreter start, imports and writing. ``peak_bytes`` is the kernel's account of the whole
process in both cases. ``gdsfd`` also fits scales, keeps account of what it drops and looks for leaks; ``pandas`` does
not.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

ITEMS = 30
WINDOW_MINUTES = 2880
BIN_MINUTES = 60
CONTESTANTS = ("gdsfd", "pandas")
CELLS = ("row", "step", "item", "value")
SUMMARY = ("count", "mean", "min", "max", "first", "last")
SPEC = f"""
[cohort]
source = "cohort.parquet"
id = "stay"

[outcome]
name = "death"
column = "died"
positive = 1

[[modality]]
name = "events"
kind = "events"
source = "events.parquet"
id = "stay"
time = "minute"
item = "item"
value = "value"
min_count = 1
window = [0, {WINDOW_MINUTES}]
bin = {BIN_MINUTES}
"""


def write_exports(folder: Path, events: int, patients: int, seed: int) -> None:
    """Writes ``spec.toml`` and two Parquet files; events come in random order, a few outside the window.

    Args:
        folder: Where to write.
        events: Rows of the event table.
        patients: Rows of the cohort table.
        seed: Of the random numbers.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    (folder / "spec.toml").write_text(SPEC, encoding="utf-8")
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
    """Builds the cohort with gdsfd, and no graph; returns seconds and arrays."""
    from gdsfd.cohort.build import build_cohort
    from gdsfd.cohort.spec import load_spec

    start = time.perf_counter()
    cohort = build_cohort(load_spec(folder / "spec.toml"), progress=False)
    seconds = time.perf_counter() - start
    seen: Any = cohort.observations["events"]
    return seconds, flat_arrays(seen.patient, seen)


def flat_arrays(patient: Any, seen: Any) -> dict[str, Any]:
    """Packed observations of ``patient`` as one row per cell and per summary."""
    return {
        "row": np.repeat(patient, np.diff(seen.ptr)).astype(np.int32),
        "step": seen.step,
        "item": seen.item,
        "value": seen.value,
        "summary_row": np.repeat(patient, np.diff(seen.summary_ptr)).astype(np.int32),
        "summary_item": seen.summary_item,
        **{name: seen.summary[:, k] for k, name in enumerate(SUMMARY)},
    }


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


def save_arrays(name: str, folder: Path, arrays: dict[str, Any]) -> None:
    """Stores a contestant's arrays for :func:`compare`."""
    for key, array in arrays.items():
        np.save(folder / f"{name} {key}.npy", np.asarray(array))


def compare(folder: Path) -> None:
    """Raises when the contestants' arrays differ; the saved graph stands for gdsfd where there is one."""
    if (folder / "graph").exists():
        from types import SimpleNamespace

        from gdsfd.graph.files import load_graph

        edge = load_graph(folder / "graph")["patient", "events", "modality"].to_dict()
        stored = {key: tensor.numpy() for key, tensor in edge.items()}
        save_arrays("gdsfd", folder, flat_arrays(stored["edge_index"][0], SimpleNamespace(**stored)))
    for key in (*CELLS, "summary_row", "summary_item", *SUMMARY):
        first, second = (np.load(folder / f"{name} {key}.npy", mmap_mode="r") for name in CONTESTANTS)
        if first.shape != second.shape or not np.allclose(first, second, rtol=1e-5, atol=1e-5):
            raise SystemExit(
                f"the contestants differ in {key!r}: {first.shape} {first[:5]}, {second.shape} {second[:5]}"
            )


def run_part(part: str, folder: Path, given: argparse.Namespace) -> None:
    """What the processes started by :func:`in_process` do; contestants print the seconds of the work alone."""
    if part == "write":
        write_exports(folder, given.events, given.patients, given.seed)
    elif part == "compare":
        compare(folder)
    else:
        seconds, arrays = {"gdsfd": run_gdsfd, "pandas": run_pandas}[part](folder)
        save_arrays(part, folder, arrays)
        print(seconds)


def in_process(command: list[str], folder: Path, threads: int) -> tuple[float, int, str]:
    """Runs a command in a fresh process; its wall seconds, peak resident bytes and last line of output.

    The kernel hands the parent's own peak down to a child, so everything big happens in processes like this one.
    """
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    with (folder / "out.txt").open("w+") as out, (folder / "err.txt").open("w+") as err:
        start = time.perf_counter()
        process = subprocess.Popen([sys.executable, "-W", "ignore", *command], stdout=out, stderr=err, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if process.returncode:
            raise SystemExit(f"{' '.join(command)} failed with {process.returncode}:\n{err.read()}")
        return seconds, usage.ru_maxrss * 1024, ["", *out.read().splitlines()][-1]


def main() -> None:
    """Reads the command line, measures in turns, compares, writes lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=20_000_000)
    parser.add_argument("--patients", type=int, default=200_000)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--measure", choices=["process", "work"], default="process")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, default=Path("ingest.jsonl"), help="file for the lines, inside results/")
    parser.add_argument("--part", choices=["write", "compare", *CONTESTANTS], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.part:
        run_part(given.part, given.folder, given)
        return
    from results_line import append_line  # it asks git at once, which no contestant should wait for

    threads = os.cpu_count() or 1
    measured: dict[str, list[tuple[float, int]]] = {name: [] for name in CONTESTANTS}
    with tempfile.TemporaryDirectory(prefix="gdsfd-ingest-") as name:
        folder = Path(name)
        size = ["--events", str(given.events), "--patients", str(given.patients), "--seed", str(given.seed)]

        def part(what: str) -> list[str]:
            return [__file__, "--part", what, "--folder", str(folder), *size]

        commands = {contestant: part(contestant) for contestant in CONTESTANTS}
        if given.measure == "process":
            commands["gdsfd"] = ["-m", "gdsfd", "build", str(folder / "spec.toml"), "--out", str(folder / "graph")]
        in_process(part("write"), folder, threads)
        for repetition in range(given.repetitions):
            for contestant, command in commands.items():
                if given.measure == "process" and contestant == "gdsfd" and repetition:
                    shutil.rmtree(folder / "graph")
                seconds, peak, said = in_process(command, folder, threads)
                measured[contestant].append((seconds if given.measure == "process" else float(said), peak))
            if repetition == 0:
                in_process(part("compare"), folder, threads)
    for contestant, results in measured.items():
        seconds = [result[0] for result in results]
        low, middle, high = np.quantile(seconds, [0.25, 0.5, 0.75]).tolist()
        peak = max(result[1] for result in results)
        append_line(
            given.json,
            benchmark="ingest",
            contestant=contestant,
            measures=given.measure,
            seconds=middle,
            seconds_low=low,
            seconds_high=high,
            repetitions=len(seconds),
            peak_bytes=peak,
            shape={"events": given.events, "patients": given.patients, "items": ITEMS, "bin_minutes": BIN_MINUTES},
            dtype="float64 in, float32 out",
            device="cpu",
            threads=threads,
            seed=given.seed,
        )
        print(f"{contestant}: {middle:.1f} s [{low:.1f}, {high:.1f}], peak {peak / 2**30:.2f} GiB")


if __name__ == "__main__":
    main()
