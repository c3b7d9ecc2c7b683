"""What several processes that train one network together gain: patients per second, beside one process.

    python benchmarks/data_parallel.py --backbone muse --debias full

Every process has one thread and batches of the same size, so N processes take steps of N times as many patients. The
two ways take turns on one cohort, in epochs of training steps alone (``step``) and with all that an epoch has: states
fitted on training patients, and figures on tuning patients (``epoch``). Medians with least and most, in patients per
second; ``ratio`` is several processes' over one's, of the medians and round by round. On a machine that others use that
ratio says little: ``cpu`` is processor seconds per 1,000 patients, of all processes together, and ``at_best`` the ratio
that follows where every process has a core and none waits. ``apart`` is what the same number of processes take together
that train a network each and exchange nothing, over one that has the machine for itself: what the machine allows, where
cores share caches, memory or a clock. A line goes to ``results/data_parallel.jsonl``.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import psutil
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
    graph = _graph(arguments.patients)
    ways = _ways(graph)
    others = [_Apart(arguments) for _ in range(arguments.processes - 1)]
    apart: dict[str, list[float]] = {what: [] for what in ways}
    rates, cpu = ({what: {1: [], arguments.processes: []} for what in ("step", "epoch")} for _ in range(2))
    with RankProcesses(graph, arguments.processes, "cpu", threads=1) as together:
        for number in range(arguments.rounds + 1):
            for what, (own, most) in ways.items():
                for processes in rates[what]:
                    arm = _arm(arguments, processes, len(own["train"]), most)
                    rate, used = _rate(arm, graph, own, together if processes > 1 else None)
                    if number:  # the first round starts processes and fills caches
                        rates[what][processes].append(rate)
                        cpu[what][processes].append(used)
                for other in others:
                    other.begin(what)
                arm = _arm(arguments, 1, len(own["train"]), most)
                rate = _rate(arm, graph, own, None)[0] + sum(other.rate() for other in others)
                if number:
                    apart[what].append(rate)
    for other in others:
        other.talk.send(None)
    found: dict[str, Any] = {}
    for what, by_processes in rates.items():
        one, several = by_processes[1], by_processes[arguments.processes]
        found[what] = {str(each): _spread(values) for each, values in by_processes.items()}
        found[what]["ratio"] = round(median(several) / median(one), 3)
        found[what]["ratio_by_round"] = [round(more / less, 3) for less, more in zip(one, several)]
        less, more = (median(cpu[what][each]) for each in (1, arguments.processes))
        found[what] |= {"cpu": {"1": round(less, 4), str(arguments.processes): round(more, 4)}}
        found[what]["apart"] = round(median(apart[what]) / median(one), 3)
        found[what]["at_best"] = round(arguments.processes * less / more, 3)
        print(f"{what}: {found[what]}")
    given = {name: value for name, value in vars(arguments).items() if name != "rounds"}
    append_line("data_parallel.jsonl", bench="data_parallel", cores=os.cpu_count(), **given, **found)


def _graph(patients: int) -> Any:
    with tempfile.TemporaryDirectory() as name:
        gdsfd.simulate(Path(name), patients=patients, seed=0)
        return gdsfd.build_graph(Path(name) / "spec.toml")


def _ways(graph: Any) -> dict[str, tuple[dict[str, Tensor], int]]:
    """What is timed: the rows trained and judged on, and the most that states are fitted on."""
    rows = {split: rows_of(graph, split) for split in ("train", "tuning")}
    few = {"train": rows["train"], "tuning": rows["tuning"][:FEW]}
    return {"step": (few, FEW), "epoch": (rows, 16384)}


class _Apart:
    """A process that trains a network of its own when it is told to."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        context = get_context("spawn")
        self.talk, theirs = context.Pipe()
        context.Process(target=_train_apart, args=(theirs, arguments), daemon=True).start()

    def begin(self, what: str) -> None:
        self.talk.send(what)

    def rate(self) -> float:
        return float(self.talk.recv())


def _train_apart(talk: Connection, arguments: argparse.Namespace) -> None:
    torch.set_num_threads(1)
    graph = _graph(arguments.patients)
    ways = _ways(graph)
    while (what := talk.recv()) is not None:
        own, most = ways[what]
        talk.send(_rate(_arm(arguments, 1, len(own["train"]), most), graph, own, None)[0])


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


def _rate(arm: Arm, graph: Any, rows: dict[str, Tensor], together: RankProcesses | None) -> tuple[float, float]:
    """Patients per second in the fastest of the later epochs, and processor seconds per 1,000 patients in these."""
    used: list[float] = []
    history = arm.fit(graph, rows, on_epoch=lambda row: used.append(_cpu(together)), together=together).state.history
    patients = len(rows["train"])
    thousands = patients * (len(used) - 1) / 1000
    return patients / min(row["seconds"] for row in history[1:]), (used[-1] - used[0]) / thousands


def _cpu(together: RankProcesses | None) -> float:
    """Processor seconds that the processes have taken so far."""
    others = [psutil.Process(each.pid) for each in (together.processes if together is not None else ())]
    return sum(each.cpu_times().user + each.cpu_times().system for each in [psutil.Process(), *others])


def _spread(values: list[float]) -> list[float]:
    return [round(each, 1) for each in (median(values), min(values), max(values))]


if __name__ == "__main__":
    main()
