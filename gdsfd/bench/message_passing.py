"""Benchmark of the bidirectional edge-feature encoder: every backend beside plain PyG and the bare matrix products."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from gdsfd.bench.agreement import check, difference, distance
from gdsfd.bench.encoder import SparseEncoder, make_encoders
from gdsfd.bench.machine import Machine, measure_machine
from gdsfd.bench.memory import measure_memory
from gdsfd.bench.opponents import pyg_backend  # noqa: F401  (declares itself)
from gdsfd.bench.opponents.plain_encoder import PlainEncoder
from gdsfd.bench.options import Options
from gdsfd.bench.problem import DTYPES, Problem, Shape, make_problem
from gdsfd.bench.timing import Timing, in_turns
from gdsfd.bench.work import bare_products, encoder_bytes, flops
from gdsfd.ops.backends import available
from gdsfd.result_lines import Line, environment

__all__ = ["COMPILED", "MODES", "PLAIN", "PRODUCTS", "backends_for", "bench_encoder", "encoder_check", "memory_call"]

PLAIN, COMPILED, PRODUCTS = "plain pyg", "compiled pyg", "bare products"
MODES = ("forward", "forward+backward")
#: Largest difference of outputs from plain PyG's in the same number type; in float64 gradients too are held to it.
MOST = {"float64": 1e-9, "float32": 1e-4, "bfloat16": 5e-2}
MOST_GRADIENT = {"float64": 1e-9, "float32": 2e-2, "bfloat16": 2e-1}
_CHECKED = 2e6  #: numbers per edge tensor of the smaller graph on which everything is compared in float64

Run = Callable[[bool], tuple[Tensor, ...]]


def backends_for(names: Sequence[str] | None, device: str = "cpu") -> list[str]:
    """The backends to measure, ``auto`` first; without a choice those that make sense on the device.

    On the CPU Triton runs in its interpreter, whose times say nothing; it is measured there only when named.
    """
    if names:
        return list(dict.fromkeys(names))
    return ["auto", *(name for name in available() if name != "triton" or device != "cpu")]


def bench_encoder(shape: Shape, backends: Sequence[str], options: Options) -> list[Line]:
    """Measures one shape: forward, and forward with backward.

    Args:
        shape: The sizes.
        backends: Names of backends, ``auto`` among them if wanted.
        options: How to measure.

    Returns:
        One line per contestant and mode; the contestant ``bare products`` is what nobody can undercut.

    Raises:
        DisagreementError: A contestant's results differ from plain PyG's.
    """
    place = environment(options.threads, options.device)
    options.tell(f"{shape}: comparing")
    agreed = encoder_check(shape, backends, options)
    machine = measure_machine({shape.dtype: DTYPES[shape.dtype]}, options.threads, options.device)
    problem = make_problem(shape, options.seed, options.device)
    edges = problem.layout.num_edges
    runs = _runs(shape, problem, backends, options)
    if COMPILED in runs:
        outputs = zip(runs[COMPILED](True)[:2], runs[PLAIN](True)[:2], strict=True)
        differ = check(f"{COMPILED} on {shape}", "outputs", [difference(*pair) for pair in outputs], MOST[shape.dtype])
        agreed[COMPILED] = {"own_outputs_differ": differ}
    memory: dict[tuple[str, str], Line] = {}
    lines = []
    for mode in MODES:
        backward = mode != "forward"
        options.tell(f"{shape}: {mode}")
        calls: dict[str, Callable[[], object]] = {name: partial(run, backward) for name, run in runs.items()}
        calls[PRODUCTS] = bare_products(shape, edges, backward, options.device)
        times = in_turns(calls, options.turns, options.threads, options.device, options.budget)
        if options.memory and backward:
            for name in runs:
                if name != COMPILED:
                    options.tell(f"{shape}: memory of {name}")
                    memory[name, mode] = _memory(shape, name, backward, options)
        for name, timing in times.items():
            fields = {"shape": {**shape.to_dict(), "edges": edges}, "dtype": shape.dtype, "mode": mode}
            compared = {"plain": times[PLAIN].median, "bare": times[PRODUCTS].median}
            line = {"benchmark": "message_passing", "part": "encoder", "contestant": name, **fields}
            line |= _rates(shape, edges, backward, timing, machine, compared)
            lines.append({**line, **agreed.get(name, {}), **memory.get((name, mode), {}), "seed": options.seed})
    return [{**line, **place} for line in lines]


def encoder_check(shape: Shape, backends: Sequence[str], options: Options) -> dict[str, Line]:
    """Compares every backend with plain PyG: outputs and gradients in float64 on a smaller graph, then as timed.

    Returns:
        Backend -> the differences found.

    Raises:
        DisagreementError: One is too large.
    """
    found: dict[str, Line] = {name: {} for name in backends}
    for tried, label in ((shape.smaller(_CHECKED, "float64"), "float64"), (shape, "own")):
        problem = make_problem(tried, options.seed, options.device)
        sparse, plain = make_encoders(tried, options.seed, options.device)
        expected = _plain_run(problem, plain)(True)
        for name in backends:
            results = _sparse_run(problem, sparse, name)(True)
            outputs = [difference(one, other) for one, other in zip(results[:2], expected[:2], strict=True)]
            gradients = [distance(results[2], expected[2]), *_weight_distances(sparse, plain)]
            outputs_off = check(f"{name} on {tried}", "outputs", outputs, MOST[tried.dtype])
            gradients_off = check(f"{name} on {tried}", "gradients", gradients, MOST_GRADIENT[tried.dtype])
            found[name][f"{label}_outputs_differ"], found[name][f"{label}_gradients_differ"] = (
                outputs_off,
                gradients_off,
            )
            del results
    return found


def memory_call(
    warm_up: bool,
    device: str,
    shape: dict[str, Any],
    contestant: str,
    backward: bool,
    seed: int,
) -> Callable[[], None]:
    """What :mod:`gdsfd.bench.memory` calls: one pass of one contestant, with what it derives from the edge list."""
    sizes = Shape(**shape)
    problem = make_problem(sizes.smaller(1000) if warm_up else sizes, seed, device, backward)
    sparse, plain = make_encoders(sizes, seed, device)
    run = _plain_run(problem, plain) if contestant == PLAIN else _sparse_run(problem, sparse, contestant)

    def call() -> None:
        run(backward)

    return call


def _memory(shape: Shape, name: str, backward: bool, options: Options) -> Line:
    sizes = {**shape.to_dict(), "dtype": shape.dtype}
    arguments = {"shape": sizes, "contestant": name, "backward": backward, "seed": options.seed}
    account = measure_memory("message_passing", arguments, options.threads, options.device)
    return {key: account[key] for key in ("peak_bytes", "step_bytes")}


def _runs(shape: Shape, problem: Problem, backends: Sequence[str], options: Options) -> dict[str, Run]:
    sparse, plain = make_encoders(shape, options.seed, options.device)
    runs = {PLAIN: _plain_run(problem, plain)}
    if options.compiled:
        _, again = make_encoders(shape, options.seed, options.device)
        runs[COMPILED] = _plain_run(problem, torch.compile(again, dynamic=False))  # type: ignore[arg-type]
    return runs | {name: _sparse_run(problem, sparse, name) for name in backends}


def _plain_run(problem: Problem, plain: PlainEncoder) -> Run:
    edge_index = PlainEncoder.edge_index(problem.layout)

    def run(backward: bool) -> tuple[Tensor, ...]:
        return _pass(plain, problem, backward, lambda tokens: plain(tokens, edge_index, problem.shape.patients))

    return run


def _sparse_run(problem: Problem, sparse: SparseEncoder, backend: str) -> Run:
    def run(backward: bool) -> tuple[Tensor, ...]:
        return _pass(sparse, problem, backward, lambda tokens: sparse(tokens, problem.layout, backend))

    return run


def _pass(
    module: nn.Module, problem: Problem, backward: bool, forward: Callable[[Tensor], tuple[Tensor, Tensor]]
) -> tuple[Tensor, ...]:
    """One pass; with ``backward`` gradients of weights and tokens are worked out anew, the tokens' is returned too."""
    if not backward:
        with torch.no_grad():
            return forward(problem.tokens)
    module.zero_grad(set_to_none=True)
    problem.tokens.grad = None
    outputs = forward(problem.tokens)
    torch.autograd.backward(outputs, (problem.patient_grad, problem.modality_grad))
    assert problem.tokens.grad is not None
    return (*(output.detach() for output in outputs), problem.tokens.grad)


def _weight_distances(sparse: SparseEncoder, plain: PlainEncoder) -> list[float]:
    """Distances between gradients of weights, split maps side by side."""
    found = [
        distance(_grad(sparse.patient_start), _grad(plain.patient_start)),
        distance(_grad(sparse.modality_start), _grad(plain.modality_start)),
    ]
    for conv, layer in zip(sparse.convs, plain.layers, strict=True):
        weights = dict(conv.named_parameters())
        together = {
            "message_linear": ["message_node", "message_edge"],
            "update_linear": ["update_message", "update_node"],
            "edge_linear": ["edge_patient", "edge_modality", "edge_edge"],
        }
        for whole, parts in together.items():
            if f"{parts[0]}.weight" in weights:
                linear = layer.get_submodule(whole)
                assert isinstance(linear, nn.Linear)
                split = torch.cat([_grad(weights[f"{part}.weight"]) for part in parts], dim=1)
                found.append(distance(split, _grad(linear.weight)))
                found.append(distance(_grad(weights[f"{parts[0]}.bias"]), _grad(linear.bias)))
    return found


def _grad(parameter: Tensor) -> Tensor:
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad


def _rates(
    shape: Shape, edges: int, backward: bool, timing: Timing, machine: Machine, compared: dict[str, float]
) -> Line:
    seconds = timing.median
    moved, worked = encoder_bytes(shape, edges, backward), flops(shape, edges, backward)
    return {
        **timing.fields(),
        "edges_per_second": edges / seconds,
        "bytes_per_second": moved / seconds,
        "copy_bytes_per_second": machine.copy_bytes_per_second,
        "flops_per_second": worked / seconds,
        "matrix_flops_per_second": machine.flops_per_second[shape.dtype],
        "speedup_over_plain": compared["plain"] / seconds,
        "times_bare_products": seconds / compared["bare"],
    }
