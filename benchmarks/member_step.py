"""A training step of four members beside the steps of four networks in plain PyG, on the same patients.

    python benchmarks/member_step.py

``muse`` with contrastive views and two streams, beside the plain compositions of ``gdsfd bench train-step`` (which
compares outputs and gradients). Members are trained in the form that training takes at that size
(``gdsfd.nn.grid_store.why_no_grid``). Two sizes: that of ``train-step``, and what ``gdsfd train`` takes by default on a
cohort of two thousand patients with 18 modalities. One line per model and size is appended to
``results/member_step.jsonl``; with a C++ compiler the members' step is compiled, too. Five minutes on an idle machine.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from copy import deepcopy
from itertools import product

import torch
from results_line import append_line
from torch import Tensor, nn

from gdsfd.bench.cohort_graph import random_graph
from gdsfd.bench.opponents.plain_muse import PlainCohort, PlainMuse
from gdsfd.bench.opponents.plain_streams import PlainStreams
from gdsfd.bench.problem import Shape
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.adamw import AdamW
from gdsfd.nn.ensemble import Ensemble
from gdsfd.nn.grid_store import GridStore, why_no_grid
from gdsfd.nn.losses import Targets
from gdsfd.nn.member_stack import MemberStack
from gdsfd.nn.objectives import ErmObjective, Objective, StreamObjective
from gdsfd.nn.predictor import Predictor
from gdsfd.nn.stream_predictor import StreamPredictor
from gdsfd.nn.streams import PRESETS
from gdsfd.training.compiled_step import WrittenDown, compiled, has_compiler

MEMBERS, TURNS, WARM_UP, STAGE = 4, 13, 3, 2
SIZES = {
    "train-step": (Shape(patients=8192, modalities=3, density=0.6, channels=128, layers=2), 512),
    "default training": (Shape(patients=2048, modalities=18, density=0.7, channels=64, layers=2), 64),
}


def stepper(models: list[nn.Module], losses: Callable[[Tensor], Tensor]) -> Callable[[Tensor], None]:
    """One step of the loss of all members or networks."""
    optimizer = torch.optim.AdamW([each for model in models for each in model.parameters()], lr=1e-4, fused=True)

    def step(rows: Tensor) -> None:
        optimizer.zero_grad()
        losses(rows).backward()
        optimizer.step()

    return step


def compiled_step(
    network: Ensemble, objective: Objective, store: PatientStore, targets: Targets, batch: int
) -> Callable[[Tensor], None]:
    """The step of a copy of the members as the setting ``compiled`` trains."""
    network, objective = deepcopy((network, objective))
    source, stack = GridStore.of(network, store), MemberStack(network)
    parameters = [each for each in stack.parameters() if each.requires_grad]
    rows = torch.arange(batch)
    written = WrittenDown(
        lambda rows: objective(stack(source.batch(rows)), targets.take(rows), STAGE), parameters, rows
    )
    call = compiled(written, rows)
    optimizer = AdamW(parameters, lr=1e-4)

    def step(rows: Tensor) -> None:
        _, *gradients = call(rows)
        for parameter, gradient in zip(written.used, gradients, strict=True):
            parameter.grad = gradient
        optimizer.step()

    return step


def measured(model: str, shape: Shape, batch: int) -> dict[str, float | bool]:
    """Median seconds of both, taken in turns."""
    graph, config = random_graph(shape, seed=0), PRESETS["streams"]
    assert config is not None
    store, cohort = PatientStore(graph), PlainCohort(graph)
    torch.manual_seed(0)
    options = {"layers": shape.layers, "edge_drop": 0.15}
    targets = Targets(graph["patient"].y, torch.arange(shape.patients), margin=torch.zeros(shape.patients, 1))
    made: list[Predictor]
    if model == "streams":
        streams = [
            StreamPredictor(graph.schema, "muse", shape.channels, options=options, streams=config)
            for _ in range(MEMBERS)
        ]
        plain = [PlainStreams(each).train() for each in streams]
        objectives = [StreamObjective(Ensemble([each], multiclass=False), config, shape.patients) for each in streams]
        made = list(streams)
        network = Ensemble(made, multiclass=False).train()
        objective: Objective = StreamObjective(network, config, shape.patients)

        def plain_loss(rows: Tensor) -> Tensor:
            taken = targets.take(rows)
            each = [own([net(cohort, rows)], taken, STAGE) for own, net in zip(objectives, plain)]
            return torch.stack(each).sum()

        networks: list[nn.Module] = list(plain)
    else:
        options["contrastive"] = 1.0
        made = [Predictor(graph.schema, "muse", shape.channels, options=options) for _ in range(MEMBERS)]
        simple = [PlainMuse(each).train() for each in made]
        network = Ensemble(made, multiclass=False).train()
        objective = ErmObjective()

        def plain_loss(rows: Tensor) -> Tensor:
            return torch.stack([net.loss(cohort, rows) for net in simple]).sum()

        networks = list(simple)
    in_grid = not why_no_grid(network, store, batch)
    source = GridStore.of(network, store) if in_grid else store
    trained = MemberStack(network) if in_grid else network
    steps = {
        "four plain networks": stepper(networks, plain_loss),
        "four members": stepper(
            [trained], lambda rows: objective(trained(source.batch(rows)), targets.take(rows), STAGE)
        ),
    }
    if has_compiler():
        steps["four members, compiled"] = compiled_step(network, objective, store, targets, batch)
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(TURNS):
        rows = torch.randperm(shape.patients)[:batch]
        for name, step in steps.items():
            start = time.perf_counter()
            step(rows)
            seconds[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(times[WARM_UP:]) for name, times in seconds.items()}
    found = {
        "seconds_plain": medians["four plain networks"],
        "seconds_members": medians["four members"],
        "times_as_fast": medians["four plain networks"] / medians["four members"],
        "in_grid": in_grid,
    }
    if "four members, compiled" in medians:
        compiled_seconds = medians["four members, compiled"]
        found |= {"seconds_compiled": compiled_seconds}
        found |= {"compiled_times_as_fast": medians["four plain networks"] / compiled_seconds}
    return found


def main() -> None:
    for (size, (shape, batch)), model in product(SIZES.items(), ("muse", "streams")):
        found = measured(model, shape, batch)
        sizes = {**shape.to_dict(), "members": MEMBERS, "batch": batch}
        threads = torch.get_num_threads()
        append_line(
            "member_step.jsonl",
            benchmark="member_step", size=size, model=model, shape=sizes, threads=threads, **found,
        )  # fmt: skip
        print(
            f"{size}, {model}: {found['times_as_fast']:.2f} times as fast as four plain networks, {found}", flush=True
        )


if __name__ == "__main__":
    main()
