"""Benchmark of one training step: batch, encoders, backbone, heads and losses, backward, optimiser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from gdsfd.bench.agreement import check, difference, distance
from gdsfd.bench.memory import measure_memory
from gdsfd.bench.message_passing import PLAIN, PRODUCTS
from gdsfd.bench.opponents import muse_contest, streams_contest  # noqa: F401  (each declares its contest)
from gdsfd.bench.opponents.contest import COMPILED, OURS, STEPS, Contest
from gdsfd.bench.options import Options
from gdsfd.bench.problem import Shape
from gdsfd.bench.timing import in_turns
from gdsfd.errors import InputError, near_names
from gdsfd.nn.adamw import AdamW
from gdsfd.result_lines import Line, environment
from gdsfd.training.compiled_step import WrittenDown, compiled

__all__ = ["bench_train_step", "compiled_stepper", "memory_call", "stepper"]

_MOST = {"float64": 1e-9, "float32": 1e-4}
_MOST_GRADIENT = {"float64": 1e-8, "float32": 2e-2}


def bench_train_step(shape: Shape, batch_size: int, model: str, options: Options) -> list[Line]:
    """Measures full steps, each on the next batch of shuffled patients.

    Args:
        shape: The cohort's sizes and the model's width.
        batch_size: Patients per step.
        model: A name in :data:`STEPS`.
        options: How to measure.

    Returns:
        One line per contestant, and one for the bare matrix products of a step where the model says what they are.

    Raises:
        InputError: There is no such model, or the cohort is smaller than a batch.
        DisagreementError: Losses or gradients differ with everything random switched off.
    """
    if model not in STEPS:
        raise InputError(f"--model: unknown {model!r}.{near_names(model, STEPS)}")
    if not 2 <= batch_size <= shape.patients:
        raise InputError(f"--batch: expected 2 to {shape.patients} (the patients), got {batch_size}")
    if shape.dtype not in _MOST:
        raise InputError(f"--dtype: expected {' or '.join(_MOST)} for train-step, got {shape.dtype!r}")
    place = environment(options.threads, options.device)
    options.tell(f"{model}: comparing")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(options.seed)
        differ = _compare(replace(shape, dtype="float64"), batch_size, model, options)
        differ |= _compare(shape, batch_size, model, options)
        options.tell(f"{model}: steps of {batch_size} patients")
        contest = STEPS[model](shape, options.seed, options.device, True)
        steps = {name: stepper(contest, name, shape, batch_size, options.device) for name in contest.models}
        if options.compiled and contest.fixed is not None and options.device == "cpu":
            options.tell(f"{model}: compiling a step of {batch_size} patients (about half a minute)")
            steps[COMPILED] = compiled_stepper(contest, model, shape, batch_size, options.threads)
        if contest.bare is not None and options.device == "cpu":
            steps[PRODUCTS] = contest.bare(batch_size)
        times = in_turns(steps, options.turns, options.threads, options.device, options.budget)
    lines = []
    for name, timing in times.items():
        line: Line = {"benchmark": "train_step", "model": model, "contestant": name, "mode": "training step"}
        line |= {"shape": {**shape.to_dict(), "batch": batch_size}, "dtype": shape.dtype, **timing.fields()}
        line |= {"patients_per_second": batch_size / timing.median}
        if name != contest.erm:
            line["speedup_over_plain"] = times[PLAIN].median / timing.median
        if name not in (contest.erm, PRODUCTS):
            line |= differ
            if PRODUCTS in times:
                line["times_bare_products"] = timing.median / times[PRODUCTS].median
        if contest.erm is not None:
            line["times_erm"] = timing.median / times[contest.erm].median
        line["seed"] = options.seed
        if options.memory and name not in (PRODUCTS, COMPILED):
            options.tell(f"{model}: memory of {name}")
            sizes = {**shape.to_dict(), "dtype": shape.dtype}
            arguments = {"shape": sizes, "batch": batch_size, "model": model, "name": name, "seed": options.seed}
            account = measure_memory("train_step", arguments, options.threads, options.device)
            line |= {key: account[key] for key in ("peak_bytes", "step_bytes")}
        lines.append(line)
    return [{**line, **place} for line in lines]


def memory_call(
    warm_up: bool, device: str, shape: dict[str, Any], batch: int, model: str, name: str, seed: int
) -> Callable[[], object]:
    """What :mod:`gdsfd.bench.memory` calls: one step of one contestant."""
    sizes = Shape(**shape)
    size = 2 if warm_up else batch
    contest = STEPS[model](sizes, seed, device, True)
    return stepper(contest, name, sizes, size, device)


def _compare(shape: Shape, batch_size: int, model: str, options: Options) -> dict[str, float]:
    """Loss (or outputs) and gradients of one batch, with everything random switched off."""
    contest = STEPS[model](shape, options.seed, options.device, False)
    rows = next(_batches(shape.patients, batch_size, options.device))
    losses = {name: loss(rows) for name, loss in contest.losses.items() if name != contest.erm}
    for loss in losses.values():
        loss.backward()
    pairs = [(loss.detach(), losses[PLAIN].detach()) for loss in losses.values()]
    what = "losses"
    if contest.outputs is not None:
        pairs, what = contest.outputs(rows), "outputs"
    outputs = [difference(found, expected) for found, expected in pairs]
    gradients = [distance(found, expected) for found, expected in contest.gradients()]
    if contest.fixed is not None and options.device == "cpu":
        _compare_fixed(contest, model, rows, shape.dtype)
    label = "float64" if shape.dtype == "float64" else "own"
    return {
        f"{label}_outputs_differ": check(model, what, outputs, _MOST[shape.dtype]),
        f"{label}_gradients_differ": check(model, "gradients", gradients, _MOST_GRADIENT[shape.dtype]),
    }


def _compare_fixed(contest: Contest, model: str, rows: Tensor, dtype: str) -> None:
    """The loss in fixed shapes, and how long all gradients together are, against those of lists of edges."""
    written = _written_down(contest, rows)
    loss, *gradients = written(rows)
    check(model, "losses in fixed shapes", [difference(loss, contest.losses[OURS](rows).detach())], _MOST[dtype])
    own = [each.grad for each in contest.models[OURS].parameters() if each.grad is not None]
    lengths = [torch.stack([each.square().sum() for each in some]).sum().sqrt() for some in (gradients, own)]
    check(model, "gradients in fixed shapes", [difference(*lengths)], _MOST_GRADIENT[dtype])


def _written_down(contest: Contest, rows: Tensor) -> WrittenDown:
    assert contest.fixed is not None
    network, loss = contest.fixed
    return WrittenDown(loss, [each for each in network.parameters() if each.requires_grad], rows)


def compiled_stepper(contest: Contest, model: str, shape: Shape, batch_size: int, threads: int) -> Callable[[], object]:
    """The same of this package's model in fixed shapes, compiled.

    Raises:
        DisagreementError: What was compiled gives another loss or other gradients than operation by operation.
    """
    assert contest.fixed is not None
    optimizer = AdamW(contest.fixed[0].parameters(), lr=1e-4)
    batches = _batches(shape.patients, batch_size, "cpu")
    rows, before = next(batches), torch.get_num_threads()
    torch.set_num_threads(threads)
    written = _written_down(contest, rows)
    call = compiled(written, rows)
    torch.set_num_threads(before)
    found = []
    for each in (call, written):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            loss, *gradients = each(rows)
            found.append((loss, torch.cat([part.reshape(-1) for part in gradients])))
    (loss, gradient), (loss_by_calls, gradient_by_calls) = found
    check(model, "losses of what was compiled", [difference(loss, loss_by_calls)], _MOST[shape.dtype])
    check(model, "gradients of what was compiled", [distance(gradient, gradient_by_calls)], _MOST_GRADIENT[shape.dtype])

    def step() -> None:
        _, *gradients = call(next(batches))
        for parameter, gradient in zip(written.used, gradients, strict=True):
            parameter.grad = gradient
        optimizer.step()

    return step


def stepper(contest: Contest, name: str, shape: Shape, batch_size: int, device: str) -> Callable[[], object]:
    """A function that trains one contestant on the next batch of shuffled patients."""
    optimizer = AdamW(contest.models[name].parameters(), lr=1e-4)
    batches = _batches(shape.patients, batch_size, device)
    loss = contest.losses[name]

    def step() -> None:
        optimizer.zero_grad()
        loss(next(batches)).backward()
        optimizer.step()

    return step


def _batches(patients: int, batch_size: int, device: str) -> Iterator[Tensor]:
    """Rows of shuffled batches without end; the same for every contestant."""
    generator = torch.Generator().manual_seed(0)
    while True:
        order = torch.randperm(patients, generator=generator).to(device)
        yield from order[: patients // batch_size * batch_size].split(batch_size)
