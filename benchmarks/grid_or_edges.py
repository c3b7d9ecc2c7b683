"""A training step on batches in fixed shapes, all members in one pass, beside the same step on lists of edges.

    python benchmarks/grid_or_edges.py

The rule by which training takes one or the other (``gdsfd.nn.grid_store.why_no_grid``) comes from these lines: small
batches are dispatch, where the grid wins two- to threefold; large ones are arithmetic, where its padding costs what the
density leaves empty. One line per size is appended to ``results/grid_or_edges.jsonl``; two minutes on an idle machine.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from itertools import product

import torch
from results_line import append_line
from torch import Tensor

from gdsfd.bench.cohort_graph import random_graph
from gdsfd.bench.problem import Shape
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.ensemble import Ensemble
from gdsfd.nn.grid_store import GridStore, why_no_grid
from gdsfd.nn.losses import Targets
from gdsfd.nn.member_stack import MemberStack
from gdsfd.nn.objectives import ErmObjective, Objective, StreamObjective
from gdsfd.nn.predictor import Batch, Predictor
from gdsfd.nn.stream_predictor import StreamPredictor
from gdsfd.nn.streams import PRESETS

PATIENTS, TURNS, WARM_UP = 4096, 9, 2
#: Modalities and density; members, patients of a batch and channels.
COHORTS = ((3, 0.6), (5, 0.9), (10, 0.7))
SIZES = ((4, 64, 64), (4, 128, 64), (1, 128, 64), (1, 256, 128), (1, 512, 128))


def measured(model: str, shape: Shape, members: int, batch: int) -> dict[str, float | bool]:
    """Median seconds of a step in both forms, taken in turns, and which one training takes."""
    graph = random_graph(shape, seed=0)
    store = PatientStore(graph)
    count = torch.arange(shape.patients)
    targets = Targets(graph["patient"].y, count, margin=torch.zeros(shape.patients, 1))

    def network() -> Ensemble:
        torch.manual_seed(0)
        if model == "streams":
            made = [
                StreamPredictor(graph.schema, "muse", shape.channels, streams=PRESETS["streams"])
                for _ in range(members)
            ]
        else:
            made = [Predictor(graph.schema, model, shape.channels) for _ in range(members)]
        return Ensemble(made, multiclass=False).train()

    def stepper(
        net: Ensemble, trained: torch.nn.Module, batch_of: Callable[[Tensor], Batch]
    ) -> Callable[[Tensor], None]:
        objective: Objective = ErmObjective()
        if model == "streams":
            assert PRESETS["streams"] is not None
            objective = StreamObjective(net, PRESETS["streams"], shape.patients)
        optimizer = torch.optim.AdamW(trained.parameters(), fused=True)

        def step(rows: Tensor) -> None:
            optimizer.zero_grad()
            objective(trained(batch_of(rows)), targets.take(rows), 2).backward()
            optimizer.step()

        return step

    listed, gridded = network(), network()
    grid = GridStore.of(gridded, store)
    steps = {
        "edges": stepper(listed, listed, store.batch),
        "grid": stepper(gridded, MemberStack(gridded), grid.batch),
    }
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(TURNS):
        rows = torch.randperm(shape.patients)[:batch]
        for name, step in steps.items():
            start = time.perf_counter()
            step(rows)
            seconds[name].append(time.perf_counter() - start)
    found: dict[str, float | bool] = {
        f"seconds_{name}": statistics.median(times[WARM_UP:]) for name, times in seconds.items()
    }
    return {**found, "takes_grid": not why_no_grid(gridded, store, batch)}


def main() -> None:
    for (modalities, density), model, (members, batch, channels) in product(
        COHORTS, ("muse", "concat", "streams"), SIZES
    ):
        shape = Shape(patients=PATIENTS, modalities=modalities, density=density, channels=channels, layers=2)
        found = measured(model, shape, members, batch)
        sizes = {**shape.to_dict(), "members": members, "batch": batch}
        ratio = found["seconds_edges"] / found["seconds_grid"]
        append_line(
            "grid_or_edges.jsonl", benchmark="grid_or_edges", model=model, shape=sizes, **found, times_as_fast=ratio
        )
        print(f"{model:8s} {sizes} grid {ratio:.2f} times as fast, taken: {found['takes_grid']}", flush=True)


if __name__ == "__main__":
    main()
