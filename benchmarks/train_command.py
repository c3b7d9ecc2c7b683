"""``gdsfd train`` with default settings, in this checkout and in another one beside it, on the same cohort.

    python benchmarks/train_command.py OTHER examples/eicu.toml --epochs 4
    python benchmarks/train_command.py OTHER examples/eicu.toml --backbone concat --epochs 4

OTHER is a clone of an earlier commit. Each checkout builds the graph for itself, then trains in a process of its own,
one after the other, on an idle machine. What both have in common is timed: without boosting and logistic regression
where a checkout has ``--no-baselines``. One line for each checkout is appended to ``results/train_command.jsonl``:
seconds of the whole command and of the epochs alone, the most memory it held, and the tuning patients' figures of the
last epoch of the debiased network, or of the only one.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from results_line import append_line

HERE = Path(__file__).parents[1]
MAIN = """
import os, sys
import gdsfd
assert gdsfd.__file__.startswith(os.getcwd() + os.sep), gdsfd.__file__
from gdsfd.cli import main
sys.exit(main(sys.argv[1:]))
"""


def run(checkout: Path, *arguments: str) -> tuple[str, float, float]:
    """The output of ``gdsfd`` as it is in a checkout, the seconds it took, and the most memory it held, in MiB."""
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        child = subprocess.Popen(
            [sys.executable, "-c", MAIN, *arguments],
            cwd=checkout,
            env={**os.environ, "PYTHONPATH": str(checkout)},
            stdout=out,
            stderr=errors,
        )
        _, status, usage = os.wait4(child.pid, 0)
        out.seek(0)
        errors.seek(0)
        if code := os.waitstatus_to_exitcode(status):
            told = errors.read()[-2000:]
            raise SystemExit(f"{checkout}: gdsfd {' '.join(arguments)} ended with {code}: {told}")
        return out.read(), time.perf_counter() - start, usage.ru_maxrss / 1024


def trained(checkout: Path, spec: Path, folder: Path, options: list[str]) -> dict[str, Any]:
    """Builds the graph and trains on it; seconds and figures."""
    graph, out = folder / f"{checkout.name}-graph", folder / f"{checkout.name}-run"
    run(checkout, "build", str(checkout / spec), "--out", str(graph), "--quiet")
    if "--no-baselines" in run(checkout, "train", "--help")[0]:
        options = [*options, "--no-baselines"]
    _, seconds, memory = run(checkout, "train", str(graph), "--out", str(out), "--quiet", *options)
    training = json.loads((out / "model.json").read_text(encoding="utf-8"))["training"]
    with (out / "history.csv").open(encoding="utf-8", newline="") as file:
        history = list(csv.DictReader(file))
    last = [row for row in history if row.get("model", "debiased") == "debiased"][-1]
    return {
        "seconds": seconds,
        "most_memory_mib": memory,
        "seconds_of_epochs": training["seconds"],
        "epochs": training["epochs"],
        "tuning_loss": float(last["tuning_loss"]),
        "tuning_auroc": float(last["tuning_auroc"]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path)
    parser.add_argument("spec", type=Path, help="as seen from a checkout")
    parser.add_argument("--backbone", default="muse")
    parser.add_argument("--debias", default="none")
    parser.add_argument("--epochs", type=int, help="at most so many; default: as many as the default settings take")
    arguments = parser.parse_args()
    options = ["--backbone", arguments.backbone, "--debias", arguments.debias]
    options += ["--epochs", str(arguments.epochs)] if arguments.epochs else []
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for checkout in (arguments.other.resolve(), HERE):
            found[checkout] = trained(checkout, arguments.spec, Path(folder), options)
            print(checkout.name, found[checkout], flush=True)
    before = found[arguments.other.resolve()]
    for checkout, figures in found.items():
        commit = subprocess.run(
            ["git", "-C", str(checkout), "rev-parse", "HEAD"], capture_output=True, text=True, check=True
        ).stdout.strip()
        append_line(
            "train_command.jsonl",
            benchmark="train_command",
            cohort=arguments.spec.stem,
            backbone=arguments.backbone,
            debias=arguments.debias,
            trained_by=commit,
            **figures,
            times_as_fast=before["seconds"] / figures["seconds"],
            times_as_fast_per_epoch=(before["seconds_of_epochs"] / before["epochs"])
            / (figures["seconds_of_epochs"] / figures["epochs"]),
            cores=len(os.sched_getaffinity(0)),  # taskset pins both checkouts where other work runs beside them
            threads=int(os.environ.get("OMP_NUM_THREADS", 0)) or None,
        )


if __name__ == "__main__":
    main()
