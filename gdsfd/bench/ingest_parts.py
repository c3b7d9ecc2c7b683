"""The contestants of the benchmark of ingestion, each run in a process of its own.

python -m gdsfd.bench.ingest_parts write|compare|gdsfd|pandas FOLDER EVENTS PATIENTS SEED
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from gdsfd.bench.ingest_exports import write_exports
from gdsfd.bench.opponents.pandas_ingest import SUMMARY, run_pandas

__all__ = ["CONTESTANTS", "compare", "run_gdsfd"]

CONTESTANTS = ("gdsfd", "pandas")
_CELLS = ("row", "step", "item", "value")


def run_gdsfd(folder: Path) -> tuple[float, dict[str, Any]]:
    """Builds the cohort with gdsfd, and no graph; returns seconds and arrays."""
    from gdsfd.cohort.build import build_cohort
    from gdsfd.cohort.spec import load_spec

    start = time.perf_counter()
    cohort = build_cohort(load_spec(folder / "spec.toml"), progress=False)
    seconds = time.perf_counter() - start
    seen: Any = cohort.observations["events"]
    return seconds, _flat_arrays(seen.patient, seen)


def compare(folder: Path) -> None:
    """Raises when the contestants' arrays differ; the saved graph stands for gdsfd where there is one."""
    if (folder / "graph").exists():
        from gdsfd.graph.serialization import load_graph

        edge = load_graph(folder / "graph")["patient", "events", "modality"].to_dict()
        stored = {key: tensor.numpy() for key, tensor in edge.items()}
        stored["ptr"] = stored.pop("run_ptr")
        _save(folder, "gdsfd", _flat_arrays(stored["edge_index"][0], SimpleNamespace(**stored)))
    for key in (*_CELLS, "summary_row", "summary_item", *SUMMARY):
        first, second = (np.load(folder / f"{name} {key}.npy", mmap_mode="r") for name in CONTESTANTS)
        if first.shape != second.shape or not np.allclose(first, second, rtol=1e-5, atol=1e-5):
            raise SystemExit(
                f"the contestants differ in {key!r}: {first.shape} {first[:5]}, {second.shape} {second[:5]}"
            )


def _flat_arrays(patient: Any, seen: Any) -> dict[str, Any]:
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


def _save(folder: Path, name: str, arrays: dict[str, Any]) -> None:
    for key, array in arrays.items():
        np.save(folder / f"{name} {key}.npy", np.asarray(array))


def _main(part: str, folder: Path, events: int, patients: int, seed: int) -> None:
    """Does one part; a contestant writes the seconds of the work alone as its last line."""
    if part == "write":
        write_exports(folder, events, patients, seed)
    elif part == "compare":
        compare(folder)
    else:
        seconds, arrays = {"gdsfd": run_gdsfd, "pandas": run_pandas}[part](folder)
        _save(folder, part, arrays)
        sys.stdout.write(f"{seconds}\n")


if __name__ == "__main__":
    _main(sys.argv[1], Path(sys.argv[2]), *(int(word) for word in sys.argv[3:6]))
