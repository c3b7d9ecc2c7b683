"""What each learner costs: a training step of each beside muse's, on the same batches.

    python benchmarks/learner_steps.py

Steps of all learners alternate on the same batches of the simulated cohort. A step is forward, loss, backward, clipping
and optimiser, of ``--members`` networks; in one pass where a learner can, as training does it. One line per learner is
appended to ``results/learner_steps.jsonl``: quartiles of the time and of its ratio to muse's step, and the number of
weights. The bar is twice muse's step, four times for ``healnet``, ``flexmoe`` and ``smil``; a line has it beside the
ratio.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from results_line import append_line

import gdsfd
from gdsfd.graph.loader import PatientLoader, rows_of
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.backbones import known_backbones
from gdsfd.nn.member_stack import MemberStack
from gdsfd.training.arm import Arm, build_network
from gdsfd.training.batches import TrainingBatches
from gdsfd.training.config import TrainConfig
from gdsfd.training.hooks import BackboneHooks

BOUNDS = {"flexmoe": 4.0, "healnet": 4.0, "smil": 4.0}


def stepper(arm: Arm, graph: Any) -> tuple[Callable[[torch.Tensor], None], int, bool]:
    """A function that trains on the patients of some rows, weights of a member, and whether members go in one pass."""
    train, store = rows_of(graph, "train"), PatientStore(graph)
    targets, codes, _ = arm.targets(graph, train)
    network = build_network(graph.schema, arm.backbone, None, arm.config, arm.seed, codes.sizes)
    weights = sum(each.numel() for each in network.parameters()) // len(network.members)
    objective = arm.objective(network, len(graph["patient"].id), codes.sizes)
    network.prepare(store)
    network.fit_inputs(lambda: PatientLoader(store, train, 4096), 1.0)
    hooks = BackboneHooks(network, store, arm.config)
    batches = TrainingBatches(network, store, torch.device("cpu"), arm.config.batch_size)
    trained = MemberStack(network) if batches.in_grid else network
    optimizer = torch.optim.AdamW(trained.parameters(), lr=1e-4, fused=True)
    if hooks.read_memory:
        with torch.no_grad():
            trained.fit_memory(lambda: batches.passes(train))
    network.train()

    def step(rows: torch.Tensor) -> None:
        batch = next(batches.steps(rows, rows.numel()))
        if hooks.replace_loss:
            loss = hooks.loss(batch, targets.take(rows), objective, 2)
        else:
            predictions = trained(batch)
            loss = objective(predictions, targets.take(rows), 2)
            if hooks.read_truth:
                hooks.add_truth(predictions, targets.take(rows))
        optimizer.zero_grad()
        loss.backward()
        if hooks.on_gradients:
            hooks.after_backward()
        torch.nn.utils.clip_grad_norm_(trained.parameters(), 1.0)
        optimizer.step()

    return step, weights, batches.in_grid


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbones", default=",".join(sorted(known_backbones())))
    parser.add_argument("--channels", type=int, default=64)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--members", type=int, default=2)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--patients", type=int, default=5000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        gdsfd.simulate(Path(folder) / "exports", patients=arguments.patients, seed=0)
        graph = gdsfd.build_graph(Path(folder) / "exports" / "spec.toml")
    train = rows_of(graph, "train")
    sizes = {"members": arguments.members, "channels": arguments.channels, "batch_size": arguments.batch_size}
    config = TrainConfig(**sizes).resolved(train.numel())
    names = ["muse", *(name for name in arguments.backbones.split(",") if name != "muse")]
    made = {name: stepper(Arm(name, None, config, 0, ("pattern",)), graph) for name in names}
    taken: dict[str, list[float]] = {name: [] for name in names}
    generator = torch.Generator().manual_seed(0)
    for number in range(arguments.steps + 5):
        rows = train[torch.randperm(train.numel(), generator=generator)[: arguments.batch_size]]
        for name, (step, *_) in made.items():
            start = time.perf_counter()
            step(rows)
            if number >= 5:
                taken[name].append(1e3 * (time.perf_counter() - start))
    for name in names:
        ratio = np.array(taken[name]) / np.array(taken["muse"])
        line = {
            "benchmark": "learner_steps",
            "backbone": name,
            **sizes,
            "modalities": len(graph.schema.names),
            "steps": arguments.steps,
            "threads": torch.get_num_threads(),
            "weights": made[name][1],
            "one_pass": made[name][2],
            "milliseconds": [round(float(q), 3) for q in np.quantile(taken[name], [0.25, 0.5, 0.75])],
            "ratio_to_muse": [round(float(q), 3) for q in np.quantile(ratio, [0.25, 0.5, 0.75])],
            "bound": BOUNDS.get(name, 2.0),
        }
        append_line("learner_steps.jsonl", **line)
        print(f"{name}: {np.median(taken[name]):.1f} ms, {np.median(ratio):.2f} times muse's")


if __name__ == "__main__":
    main()
