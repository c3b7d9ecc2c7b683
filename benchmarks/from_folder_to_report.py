"""From a folder of exports to a report, as a new user goes: ``init``, ``build``, ``train``, ``evaluate``, each timed.

    PYTHONPATH=. python benchmarks/from_folder_to_report.py $GDSFD_DATA/eicu_demo hospitaldischargestatus

All settings are the defaults; the spec is taken as it was proposed. Appends one line to
``results/from_folder_to_report.jsonl``: seconds by the clock of each command, what the spec holds, and the AUROC
of the model on the test set beside that of boosting.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path
from typing import Any

from results_line import append_line


def run(*words: str) -> float:
    """Seconds of one command; it must end well."""
    begun = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "gdsfd", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"gdsfd {words[0]} ended with {done.returncode}: {done.stderr[-2000:]}")
    return round(time.perf_counter() - begun, 1)


def measured(exports: Path, outcome: str, folder: Path, more: list[str]) -> dict[str, Any]:
    """The whole way.

    Args:
        exports: The folder of exports.
        outcome: The outcome's column.
        folder: Where everything goes.
        more: Further arguments of ``train``.
    """
    spec, graph, model, report = (str(folder / name) for name in ("spec.toml", "graph", "run", "report"))
    seconds = {
        "init": run("init", str(exports), "--out", spec, "--outcome", outcome),
        "build": run("build", spec, "--out", graph, "--quiet"),
        "train": run("train", graph, "--out", model, "--quiet", *more),
        "evaluate": run("evaluate", model, graph, "--out", report, "--quiet"),
    }
    proposed = tomllib.loads(Path(spec).read_text(encoding="utf-8"))
    with (Path(report) / "metrics.csv").open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if (row["kind"], row["metric"]) == ("all", "auroc")]
    return {
        "command": f"python benchmarks/from_folder_to_report.py $GDSFD_DATA/{exports.name} {outcome}",
        "exports": exports.name,
        "seconds": seconds,
        "total": round(sum(seconds.values()), 1),
        "modalities": {kind: count(proposed, kind) for kind in ("table", "events", "codes", "embedding")},
        "auroc": {row["model"]: [round(float(row[name]), 3) for name in ("value", "low", "high")] for row in rows},
    }


def count(spec: dict[str, Any], kind: str) -> int:
    """Modalities of a kind."""
    return sum(entry["kind"] == kind for entry in spec["modality"])


def main() -> None:
    """Measures and appends the line."""
    parser = argparse.ArgumentParser(description="from a folder of exports to a report, timed")
    parser.add_argument("exports", type=Path)
    parser.add_argument("outcome")
    parser.add_argument("train", nargs="*", help="further arguments of gdsfd train, after --")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        line = measured(arguments.exports.absolute(), arguments.outcome, Path(folder), arguments.train)
    print(json.dumps(line, indent=2))
    append_line("from_folder_to_report.jsonl", **line)


if __name__ == "__main__":
    main()
