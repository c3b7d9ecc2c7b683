"""``gdsfd bench``: how fast, and in how much memory, on this machine."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gdsfd.cli.bench_arguments import add_benchmarks, fill
from gdsfd.cli.help_text import examples
from gdsfd.cli.progress import on_terminal
from gdsfd.cli.screen import screen_width
from gdsfd.errors import InputError

if TYPE_CHECKING:
    from gdsfd.bench.options import Options

__all__ = ["add_parser", "run"]

PICTURES = (".svg", ".png", ".pdf")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    """Adds the sub-command and its four benchmarks."""
    parser = commands.add_parser(
        "bench",
        help="measure message passing, a training step, ingestion or inference on this machine",
        description="Measures on this machine, which should be idle. All contestants first compute the same and their "
        "results are compared; then they are timed in turns. benchmarks/README.md says how to read the table.",
        epilog=examples("gdsfd bench message-passing --quick", "gdsfd bench train-step --json lines.jsonl"),
        parents=[shared],
    )
    add_benchmarks(parser, shared, run)


def run(arguments: argparse.Namespace) -> None:
    """Measures, prints the table, appends the lines, draws the picture."""
    _check_files(arguments)
    fill(arguments)

    import torch

    if arguments.device == "cuda" and not torch.cuda.is_available():
        raise InputError("--device cuda: torch finds no CUDA device here; use --device cpu")
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    threads = arguments.threads or processors
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with _teller(arguments.quiet) as tell:
            lines = _measure(arguments, _options(arguments, threads, tell))
    finally:
        torch.set_num_threads(before)
    _report(arguments, lines)


def _measure(arguments: argparse.Namespace, options: Options) -> list[dict[str, Any]]:
    if arguments.benchmark == "message-passing":
        return _message_passing(arguments, options)
    if arguments.benchmark == "train-step":
        from gdsfd.bench.train_step import bench_train_step
        from gdsfd.training.compiled_step import has_compiler

        if arguments.compile is None:
            options = replace(options, compiled=has_compiler())
        return bench_train_step(_shape(arguments), arguments.batch, arguments.model, options)
    if arguments.benchmark == "ingest":
        from gdsfd.bench.ingest import bench_ingest

        return bench_ingest(arguments.events, arguments.patients, arguments.measure, arguments.repetitions, options)
    from gdsfd.bench.inference import bench_full_graph, bench_patients

    scored = _shape(arguments, patients=arguments.scored)
    whole = [_shape(arguments, patients=number) for number in sorted(set(arguments.patients))]
    lines = []
    if arguments.part in ("patients", "both"):
        lines += bench_patients(scored, options)
    if arguments.part in ("full-graph", "both"):
        numbers = [shape.patients for shape in whole]
        lines += bench_full_graph(whole[0], numbers, options, arguments.repetitions, arguments.plain_up_to)
    return lines


def _message_passing(arguments: argparse.Namespace, options: Options) -> list[dict[str, Any]]:
    from gdsfd.bench.aggregation import bench_aggregation
    from gdsfd.bench.message_passing import backends_for, bench_encoder
    from gdsfd.bench.problem import Shape, shapes_of
    from gdsfd.ops.backends import backend

    for name in arguments.backends or ():
        if name != "auto":
            backend(name)  # says which there are
    sizes = {name: getattr(arguments, name) for name in ("patients", "modalities", "density", "channels", "layers")}
    shapes = list(shapes_of(**sizes, dtype=arguments.dtype))
    if not any(sizes.values()):  # the two shapes of the documentation
        narrow = [shape for shape in shapes if shape.modalities == 5]
        shapes = [*narrow, *(Shape(4000, 256, 0.5, dtype=shape.dtype) for shape in narrow)]
    chosen = backends_for(arguments.backends, arguments.device)
    lines = []
    for shape in shapes:
        if arguments.part in ("encoder", "both"):
            lines += bench_encoder(shape, chosen, options)
        if arguments.part in ("aggregate", "both"):
            lines += bench_aggregation(shape, chosen, options)
    return lines


def _shape(arguments: argparse.Namespace, **given: Any) -> Any:
    from gdsfd.bench.problem import Shape

    names = ("patients", "modalities", "density", "channels", "layers", "dtype")
    sizes = {name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None}
    return Shape(**{**sizes, **given})


def _options(arguments: argparse.Namespace, threads: int, tell: Any) -> Options:
    from gdsfd.bench.options import Options

    return Options(
        device=arguments.device,
        threads=threads,
        turns=arguments.turns,
        budget=5.0 if arguments.quick else arguments.budget,
        seed=arguments.seed,
        memory=arguments.memory and not arguments.quick,
        compiled=bool(getattr(arguments, "compile", False)) or arguments.device == "cuda",
        tell=tell,
    )


def _report(arguments: argparse.Namespace, lines: list[dict[str, Any]]) -> None:
    from gdsfd.atomic_write import atomic_file
    from gdsfd.bench.table import bench_table
    from gdsfd.cohort.receipt.text_table import WIDTH
    from gdsfd.result_lines import as_text

    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        with arguments.json.open("a", encoding="utf-8") as out:
            out.write(as_text(lines))
    if arguments.plot:
        from gdsfd.bench.plot import plot_bench

        with atomic_file(arguments.plot) as temporary:
            plot_bench(lines, temporary)
    if not arguments.quiet:
        print(bench_table(lines, screen_width(WIDTH) or WIDTH))


def _check_files(arguments: argparse.Namespace) -> None:
    if arguments.json and arguments.json.is_dir():
        raise InputError(f"--json {arguments.json}: expected a file's name, got a folder")
    if arguments.plot and (arguments.plot.suffix.lower() not in PICTURES or arguments.plot.is_dir()):
        raise InputError(f"--plot {arguments.plot}: expected a name that ends with {', '.join(PICTURES)}")
    for name in ("threads", "turns", "repetitions", "events"):
        value = getattr(arguments, name, None)
        if value is not None and value < 1:
            raise InputError(f"--{name}: expected at least 1, got {value}")


@contextmanager
def _teller(quiet: bool) -> Iterator[Any]:
    """Yields what shows progress: one line that is written over on a terminal, nothing elsewhere."""
    if not on_terminal(quiet):
        yield lambda text: None
        return
    try:
        yield lambda text: print(f"\r\x1b[K{text} ...", end="", file=sys.stderr, flush=True)
    finally:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
