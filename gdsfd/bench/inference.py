"""Benchmark of inference: one patient, all patients in batches, and one pass over the full graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch_geometric.data import HeteroData

from gdsfd.bench.agreement import check, difference
from gdsfd.bench.cohort_graph import random_graph
from gdsfd.bench.encoder import make_encoders
from gdsfd.bench.memory import measure_memory
from gdsfd.bench.message_passing import PLAIN, encoder_check
from gdsfd.bench.opponents.plain_encoder import PlainEncoder
from gdsfd.bench.options import Options
from gdsfd.bench.problem import Shape, make_problem
from gdsfd.bench.timing import Timing, in_turns
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.ensemble import Ensemble
from gdsfd.nn.predictor import Predictor
from gdsfd.result_lines import Line, environment
from gdsfd.training.debiaser import Debiaser
from gdsfd.training.inference import batches_of

__all__ = ["bench_full_graph", "bench_patients", "memory_call"]


def bench_patients(shape: Shape, options: Options) -> list[Line]:
    """Times ``Debiaser.predict_proba`` (encoders, ``muse``, head) of one patient by id, and of all.

    Before, a patient scored alone is compared with the same patient scored among all others: stored modality states
    make the two the same. The first call on a graph, which indexes it, is not in the times.

    Args:
        shape: The cohort's sizes and the model's width.
        options: How to measure.

    Returns:
        Two lines.
    """
    place = environment(options.threads, options.device)
    options.tell(f"{shape}: one patient, all patients")
    graph = random_graph(shape, options.seed)
    graph["patient"].id = ids = [f"p{row}" for row in range(shape.patients)]
    model = _with_first_weights(graph, shape, options)

    def score(ids: list[str] | None = None) -> Any:
        return model.predict_proba(graph, ids=ids, device=options.device)

    every = torch.from_numpy(score())
    some = range(0, shape.patients, shape.patients // 8 + 1)
    alone = torch.cat([torch.from_numpy(score([ids[row]])) for row in some])
    gap = difference(alone, every[list(some)])
    differ = check("a patient alone", "scores", [gap], 1e-9 if shape.dtype == "float64" else 1e-4)
    calls: dict[str, Callable[[], object]] = {"one patient": lambda: score(ids[:1]), "all patients": score}
    times = in_turns(calls, options.turns, options.threads, options.device, options.budget)
    fields = {"shape": {**shape.to_dict(), "edges": _edges(graph)}, "dtype": shape.dtype, "own_outputs_differ": differ}
    lines = []
    for name, timing in times.items():
        count = 1 if name == "one patient" else shape.patients
        line = {"benchmark": "inference", "contestant": "gdsfd", "mode": name, **fields, **timing.fields()}
        lines.append({**line, "patients_per_second": count / timing.median, "seed": options.seed})
    return [{**line, **place} for line in lines]


def _with_first_weights(graph: HeteroData, shape: Shape, options: Options) -> Debiaser:
    """A model as after training, with the weights that it would start from: the time is the same."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(options.seed)
        predictor = Predictor(graph.schema, "muse", shape.channels, options={"layers": shape.layers})
    network = Ensemble([predictor.to(dtype=shape.torch_dtype).eval()], graph.schema.multiclass)
    store = PatientStore(graph)
    network.fit_memory(lambda: batches_of(store, torch.arange(shape.patients)))
    model = Debiaser("muse")
    model.schema_, model.networks_ = graph.schema, {"reference": network}
    return model


def bench_full_graph(
    shape: Shape, patients: Sequence[int], options: Options, repetitions: int = 3, plain_up_to: int = 100_000
) -> list[Line]:
    """Times one pass of the encoder over the whole graph at several sizes, each in a process of its own.

    The time is that of a first call on a graph just made, with all that is derived from the edge list and with the
    kernel handing out memory: what somebody waits for who runs it once.

    Args:
        shape: All sizes but the patients.
        patients: Numbers of patients.
        options: How to measure.
        repetitions: Processes per size and contestant; they take turns.
        plain_up_to: The largest number of patients on which plain PyG is measured too.

    Returns:
        One line per size and contestant; ``cost_per_edge_ratio`` compares with the smallest size.
    """
    place = environment(options.threads, options.device)
    options.tell("full graph: comparing")
    agreed = encoder_check(replace(shape, patients=min(*patients, 20_000)), ["auto"], options)["auto"]
    accounts: dict[tuple[int, str], list[dict[str, Any]]] = {}
    for turn in range(repetitions):
        for number in sorted(patients):
            for name in ("auto", PLAIN):
                if name == PLAIN and number > plain_up_to:
                    continue
                options.tell(f"full graph: {number:,} patients, {name}, {turn + 1} of {repetitions}")
                sizes = {**shape.to_dict(), "patients": number, "dtype": shape.dtype}
                arguments = {"shape": sizes, "contestant": name, "seed": options.seed}
                account = measure_memory("inference", arguments, options.threads, options.device)
                accounts.setdefault((number, name), []).append(account)
    first: dict[str, float] = {}
    lines = []
    for (number, name), runs in accounts.items():
        timing = Timing([run["step_seconds"] for run in runs])
        edges = runs[0]["edges"]
        first.setdefault(name, timing.median / edges)
        line: Line = {"benchmark": "inference", "contestant": name, "mode": "full graph"}
        line |= {"shape": {**shape.to_dict(), "patients": number, "edges": edges}, "dtype": shape.dtype}
        line |= {**timing.fields(), "edges_per_second": edges / timing.median, **(agreed if name == "auto" else {})}
        line |= {key: max(run[key] for run in runs) for key in ("peak_bytes", "step_bytes")}
        line |= {"cost_per_edge_ratio": timing.median / edges / first[name], "seed": options.seed}
        lines.append(line)
    return [{**line, **place} for line in lines]


def memory_call(
    warm_up: bool, device: str, shape: dict[str, Any], contestant: str, seed: int
) -> Callable[[], dict[str, int]]:
    """What :mod:`gdsfd.bench.memory` calls: one pass over the full graph; gives the number of edges."""
    sizes = Shape(**shape)
    problem = make_problem(sizes.smaller(1000) if warm_up else sizes, seed, device, backward=False)
    sparse, plain = make_encoders(sizes, seed, device)
    edge_index = PlainEncoder.edge_index(problem.layout) if contestant == PLAIN else None

    @torch.no_grad()
    def call() -> dict[str, int]:
        if edge_index is not None:
            plain(problem.tokens, edge_index, problem.shape.patients)
        else:
            sparse(problem.tokens, problem.layout, contestant)
        return {"edges": problem.layout.num_edges}

    return call


def _edges(graph: Any) -> int:
    return sum(int(graph[kind].edge_index.size(1)) for kind in graph.edge_types)
