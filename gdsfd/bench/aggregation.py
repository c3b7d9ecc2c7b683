"""Benchmark of one aggregation: every backend, toward patients and toward hubs, against the copy bandwidth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor

from gdsfd.bench.agreement import check, difference, distance
from gdsfd.bench.machine import measure_machine
from gdsfd.bench.opponents import pyg_backend  # noqa: F401  (declares itself)
from gdsfd.bench.options import Options
from gdsfd.bench.problem import DTYPES, Problem, Shape, make_problem
from gdsfd.bench.timing import in_turns
from gdsfd.bench.work import aggregation_bytes
from gdsfd.ops import aggregate
from gdsfd.ops.bipartite import Side
from gdsfd.result_lines import Line, environment

__all__ = ["bench_aggregation"]

_CHECKED = 2e6  #: numbers per edge tensor of the smaller graph on which everything is compared in float64
_MOST = {"float64": 1e-10, "float32": 1e-4, "bfloat16": 5e-2}
_MOST_GRADIENT = {"float64": 1e-10, "float32": 2e-2, "bfloat16": 2e-1}


def bench_aggregation(shape: Shape, backends: Sequence[str], options: Options) -> list[Line]:
    """Measures ``mean(ReLU(node + edge))`` in both directions, forward and with backward.

    Args:
        shape: The sizes; its layers play no part.
        backends: Names of backends; each is compared with ``reference`` first.
        options: How to measure.

    Returns:
        One line per backend, direction and mode.

    Raises:
        DisagreementError: A backend's results differ from the reference's.
    """
    place = environment(options.threads, options.device)
    options.tell(f"{shape}: aggregation")
    machine = measure_machine({shape.dtype: DTYPES[shape.dtype]}, options.threads, options.device)
    sides: tuple[Side, ...] = ("left", "right")
    lines = []
    for toward in sides:
        _compare(shape.smaller(_CHECKED, "float64"), toward, backends, options)
        problem = make_problem(shape, options.seed, options.device)
        agreed = _compare(shape, toward, backends, options)
        for backward in (False, True):
            calls: dict[str, Callable[[], object]] = {
                name: partial(_once, problem, _node(problem, toward), toward, name, backward) for name in backends
            }
            times = in_turns(calls, options.turns, options.threads, options.device, options.budget)
            edges, targets = problem.layout.num_edges, problem.layout.edges.num_nodes(toward)
            sources = shape.patients + shape.modalities - targets
            size = problem.tokens.element_size()
            moved = aggregation_bytes(edges, sources, targets, shape.channels, size, backward)
            for name, timing in times.items():
                rate = moved / timing.median
                line = {
                    "benchmark": "message_passing",
                    "part": f"aggregate toward {'patients' if toward == 'left' else 'hubs'}",
                    "contestant": name,
                    "mode": "forward+backward" if backward else "forward",
                    "shape": {**shape.to_dict(), "edges": edges},
                    "dtype": shape.dtype,
                    **timing.fields(),
                    "edges_per_second": edges / timing.median,
                    "bytes_per_second": rate,
                    "copy_bytes_per_second": machine.copy_bytes_per_second,
                    "copy_share": rate / machine.copy_bytes_per_second,
                    "own_outputs_differ": agreed[name],
                    "seed": options.seed,
                }
                if "pyg" in times:
                    line["speedup_over_pyg"] = times["pyg"].median / timing.median
                lines.append(line)
    return [{**line, **place} for line in lines]


def _compare(shape: Shape, toward: Side, backends: Sequence[str], options: Options) -> dict[str, float]:
    problem = make_problem(shape, options.seed, options.device)
    node = _node(problem, toward)
    expected = _once(problem, node, toward, "reference", True)
    found = {}
    for name in backends:
        results = _once(problem, node, toward, name, True)
        what = f"{name} toward {toward} on {shape}"
        found[name] = check(what, "outputs", [difference(results[0], expected[0])], _MOST[shape.dtype])
        gaps = [distance(one, other) for one, other in zip(results[1:], expected[1:], strict=True)]
        check(what, "gradients", gaps, _MOST_GRADIENT[shape.dtype])
    return found


def _node(problem: Problem, toward: Side) -> Tensor:
    """The source terms; they ask for a gradient."""
    rows = problem.modality_grad if toward == "left" else problem.patient_grad
    return rows.detach().clone().requires_grad_()


def _once(problem: Problem, node: Tensor, toward: Side, backend: str, backward: bool) -> tuple[Tensor, ...]:
    graph, edge = problem.layout.edges, problem.tokens
    if not backward:
        with torch.no_grad():
            return (aggregate(node, edge, graph, toward, backend=backend),)
    out = aggregate(node, edge, graph, toward, backend=backend)
    above = problem.patient_grad if toward == "left" else problem.modality_grad
    return (out.detach(), *torch.autograd.grad(out, (node, edge), above))
