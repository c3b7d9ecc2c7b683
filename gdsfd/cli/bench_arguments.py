"""The arguments of ``gdsfd bench``, and the sizes that stand where none is given."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["add_benchmarks", "fill"]

#: What --quick replaces, by benchmark; an option given stands.
QUICK: dict[str, dict[str, Any]] = {
    "message-passing": {"patients": [2000], "channels": [64]},
    "train-step": {"patients": 1024, "batch": 256},
    "ingest": {"events": 200_000, "patients": 2000},
    "inference": {"patients": [1000, 10_000], "scored": 1000},
}
#: Everybody's sizes, where neither an option nor --quick says otherwise.
DEFAULTS: dict[str, dict[str, Any]] = {
    "message-passing": {},
    "train-step": {"patients": 8192, "batch": 512, "modalities": 3},
    "ingest": {"events": 20_000_000, "patients": 200_000},
    "inference": {"patients": [100_000, 1_000_000], "scored": 10_000},
}
TURNS, QUICK_TURNS = 9, 3
REPETITIONS, QUICK_REPETITIONS = 3, 1


def add_benchmarks(
    parser: argparse.ArgumentParser, shared: argparse.ArgumentParser, run: Callable[[argparse.Namespace], None]
) -> None:
    """Adds the four benchmarks to the sub-command.

    Args:
        parser: Of ``gdsfd bench``.
        shared: Options of every command.
        run: What runs them.
    """
    benchmarks = parser.add_subparsers(dest="benchmark", metavar="BENCHMARK", required=True)
    for name, summary, add in (
        ("message-passing", "every backend beside plain PyG", _add_message_passing),
        ("train-step", "one full step beside plain PyG", _add_train_step),
        ("ingest", "long-form events beside pandas", _add_ingest),
        ("inference", "one patient, all, and a whole graph in one pass", _add_inference),
    ):
        benchmark = benchmarks.add_parser(
            name, help=summary, description=f"Measures {summary}.", parents=[shared], allow_abbrev=False
        )
        add(benchmark)
        _add_shared(benchmark)
        benchmark.set_defaults(run=run)


def fill(arguments: argparse.Namespace) -> None:
    """Puts in what was not given: of --quick, then of the benchmark."""
    common = {"turns": TURNS, "repetitions": REPETITIONS}
    if arguments.quick:
        common = {"turns": QUICK_TURNS, "repetitions": QUICK_REPETITIONS}
    for source in (QUICK[arguments.benchmark] if arguments.quick else {}, DEFAULTS[arguments.benchmark], common):
        for name, value in source.items():
            if getattr(arguments, name, None) is None:
                setattr(arguments, name, value)


def _add_shared(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--quick", action="store_true", help="small sizes and few turns, under a minute; no memory")
    parser.add_argument("--json", metavar="FILE", type=Path, help="append the lines of results to this file")
    parser.add_argument("--plot", metavar="FILE", type=Path, help="draw them (.svg, .png, .pdf)")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu", help="default: cpu")
    parser.add_argument("--threads", type=int, metavar="N", help="of torch (default: all processors)")
    parser.add_argument("--turns", type=int, metavar="N", help=f"per contestant (default: {TURNS})")
    parser.add_argument(
        "--budget", type=float, metavar="SECONDS", default=60.0, help="for the turns of one comparison (default: 60)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of graphs and weights (default: 0)")
    parser.add_argument("--no-memory", dest="memory", action="store_false", help="leave out peak memory")
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors")


def _add_sizes(parser: argparse.ArgumentParser, many: bool) -> None:
    more: dict[str, Any] = {"nargs": "+"} if many else {}
    parser.add_argument("--modalities", type=int, metavar="K", help="hubs (default: 5; train-step: 3)", **more)
    parser.add_argument("--density", type=float, metavar="P", help="share of pairs with an edge (default: 0.6)", **more)
    parser.add_argument("--channels", type=int, metavar="D", help="width (default: 128)", **more)
    parser.add_argument("--layers", type=int, metavar="L", help="default: 2", **more)
    parser.add_argument("--dtype", metavar="TYPE", help="float32 (default), float64, bfloat16", **more)


def _add_message_passing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--patients", type=int, metavar="N", nargs="+", help="default: 20000; several sizes: all of them"
    )
    _add_sizes(parser, many=True)
    parser.add_argument("--backends", metavar="NAME", nargs="+", help="default: auto and all that can run here")
    parser.add_argument(
        "--part",
        choices=["encoder", "aggregate", "both"],
        default="both",
        help="the whole encoder, single aggregations, or both (default)",
    )
    parser.add_argument(
        "--compile", action="store_true", help="plain PyG under torch.compile too (always with cuda; minutes)"
    )


def _add_train_step(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--patients", type=int, metavar="N", help="in the cohort (default: 8192)")
    _add_sizes(parser, many=False)
    parser.add_argument("--batch", type=int, metavar="B", help="patients per step (default: 512)")
    parser.add_argument("--model", default="muse", help="muse (default; with contrastive views) or streams")


def _add_ingest(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--events", type=int, metavar="N", help="default: 20000000")
    parser.add_argument("--patients", type=int, metavar="N", help="default: 200000")
    parser.add_argument(
        "--measure",
        choices=["process", "work"],
        default="process",
        help="start to exit (default), or the work alone",
    )
    parser.add_argument("--repetitions", type=int, metavar="N", help=f"default: {REPETITIONS}")


def _add_inference(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--patients", type=int, metavar="N", nargs="+", help="of the whole graph (default: 100000 1000000)"
    )
    parser.add_argument("--scored", type=int, metavar="N", help="patients scored in batches (default: 10000)")
    _add_sizes(parser, many=False)
    parser.add_argument("--part", choices=["patients", "full-graph", "both"], default="both", help="default: both")
    parser.add_argument("--repetitions", type=int, metavar="N", help=f"default: {REPETITIONS}")
    parser.add_argument(
        "--plain-up-to", type=int, metavar="N", default=100_000, help="patients (default: 100000); needs much memory"
    )
