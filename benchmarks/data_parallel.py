"""What several processes that train one network together gain: patients per second, beside one process.

    python benchmarks/data_parallel.py --backbone muse --debias full

Every process has one thread and batches of the same size, so N processes take steps of N times as many patients. The
two ways take turns on one cohort, in epochs of training steps alone (``step``) and with all that an epoch has: states
fitted on training patients, and figures on tuning patients (``epoch``). Medians with least and most, in patients per
second; ``ratio`` is several processes' over one's, of the medians and round by round. A line goes to
``results/data_parallel.jsonl``.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from results_line import append_line
from torch import Tensor

import gdsfd
from gdsfd.graph.loader import rows_of
from gdsfd.nn.streams.config import StreamConfig
from gdsfd.training.arm import Arm
from gdsfd.training.config import TrainConfig
from gdsfd.training.rank_processes import RankProcesses

FEW = 64  #: tuning patients, and patients that states are fitted on, where steps alone are timed


def main() -> None:
    """Measures and appends a line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backbone", default="muse")
    parser.add_argument("--debias", default="none")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--patients", type=int, default=6000)
    parser.add_argument("--batch-size", type=int, default=512, help="of each process")
    parser.add_argument("--channels", type=int, default=64)
    parser.add_argument("--members", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        gdsfd.simulate(Path(name), patients=arguments.patients, seed=0)
        graph = gdsfd.build_graph(Path(name) / "spec.toml")
    rows = {split: rows_of(graph, split) for split in ("train", "tuning")}
    few = {"train": rows["train"], "tuning": rows["tuning"][:FEW]}
    rates: dict[str, dict[int, list[float]]] = {what: {1: [], arguments.processes: []} for what in ("step", "epoch")}
    with RankProcesses(graph, arguments.processes, "cpu", threads=1) as together:
        for number in range(arguments.rounds + 1):
            for what, own, most in (("step", few, FEW), ("epoch", rows, 16384)):
                for processes in rates[what]:
                    arm = _arm(arguments, processes, len(rows["train"]), most)
                    rate = _rate(arm, graph, own, together if processes > 1 else None)
                    if number:  # the first round starts processes and fills caches
                        rates[what][processes].append(rate)
    found: dict[str, Any] = {}
    for what, by_processes in rates.items():
        one, several = by_processes[1], by_processes[arguments.processes]
        found[what] = {str(each): _spread(values) for each, values in by_processes.items()}
        found[what]["ratio"] = round(median(several) / median(one), 3)
        found[what]["ratio_by_round"] = [round(more / less, 3) for less, more in zip(one, several)]
        print(f"{what}: {found[what]}")
    given = {name: value for name, value in vars(arguments).items() if name != "rounds"}
    append_line("data_parallel.jsonl", bench="data_parallel", cores=os.cpu_count(), **given, **found)


def _arm(arguments: argparse.Namespace, processes: int, train: int, most: int) -> Arm:
    config = TrainConfig(
        batch_size=arguments.batch_size,
        channels=arguments.channels,
        members=arguments.members,
        boosted_members=0,
        max_epochs=3,
        accelerator="cpu",
        state_rows=most,
        devices=processes,
    ).resolved(train)
    return Arm(arguments.backbone, StreamConfig.read(arguments.debias), config, 0, ("pattern",))


def _rate(arm: Arm, graph: Any, rows: dict[str, Tensor], together: RankProcesses | None) -> float:
    """Patients per second in the faster of the later epochs."""
    history = arm.fit(graph, rows, together=together).state.history
    return len(rows["train"]) / min(row["seconds"] for row in history[1:])


def _spread(values: list[float]) -> list[float]:
    return [round(each, 1) for each in (median(values), min(values), max(values))]


if __name__ == "__main__":
    main()
