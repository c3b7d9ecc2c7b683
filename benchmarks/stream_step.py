"""What dual streams cost: a training step of each debiasing mode beside ERM's, on the same backbone and batches.

    python benchmarks/stream_step.py --backbones concat,muse,grape

Steps of all modes alternate on the same batches of the simulated cohort, so that whatever else the machine does meets
them alike. A step is forward, loss with every part (stage 2), critics, backward, clipping and optimiser. One line per
backbone is appended to ``results/stream_step.jsonl``: medians and quartiles of the time and of its ratio to ERM's step.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from results_line import append_line
from training_step import stepper

import gdsfd
from gdsfd.graph.loader import rows_of
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.streams import PRESETS
from gdsfd.training.arm import Arm
from gdsfd.training.config import TrainConfig


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbones", default="concat,muse,grape")
    parser.add_argument("--channels", type=int, default=64)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--patients", type=int, default=5000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        gdsfd.simulate(Path(folder) / "exports", patients=arguments.patients, seed=0)
        graph = gdsfd.build_graph(Path(folder) / "exports" / "spec.toml")
    train = rows_of(graph, "train")
    settings = TrainConfig(members=1, channels=arguments.channels, batch_size=arguments.batch_size)
    config = settings.resolved(train.numel())
    for backbone in arguments.backbones.split(","):
        store = PatientStore(graph)
        erm = Arm(backbone, None, config, 0, ("pattern", "environment"))
        steps = {mode: stepper(replace(erm, streams=streams), graph, store)[0] for mode, streams in PRESETS.items()}
        taken: dict[str, list[float]] = {mode: [] for mode in steps}
        generator = torch.Generator().manual_seed(0)
        for number in range(arguments.steps + 5):
            rows = train[torch.randperm(train.numel(), generator=generator)[: arguments.batch_size]]
            for mode, step in steps.items():
                start = time.perf_counter()
                step(rows)
                if number >= 5:
                    taken[mode].append(1e3 * (time.perf_counter() - start))
        ratio = {mode: np.array(times) / np.array(taken["none"]) for mode, times in taken.items()}
        line = {
            "benchmark": "stream_step",
            "backbone": backbone,
            "channels": config.channels,
            "batch_size": arguments.batch_size,
            "steps": arguments.steps,
            "threads": torch.get_num_threads(),
            "milliseconds": {mode: [round(float(q), 3) for q in _quartiles(times)] for mode, times in taken.items()},
            "ratio_to_erm": {mode: [round(float(q), 3) for q in _quartiles(each)] for mode, each in ratio.items()},
        }
        append_line("stream_step.jsonl", **line)
        shown = ", ".join(f"{mode} {np.median(each):.2f}" for mode, each in ratio.items())
        print(f"{backbone}: step time over ERM's: {shown}")


def _quartiles(values: Any) -> np.ndarray:
    return np.quantile(values, [0.25, 0.5, 0.75])


if __name__ == "__main__":
    main()
