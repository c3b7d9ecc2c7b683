"""The arguments of ``gdsfd bench``, and the sizes that stand where none is given."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gdsfd.cli.help_text import examples
from gdsfd.cli.shared_arguments import add_quiet_argument

__all__ = ["add_benchmarks", "fill"]

#: What --quick replaces, by benchmark; an option given stands.
QUICK: dict[str, dict[str, Any]] = {
    "message-passing": {"patients": [2000], "channels": [64]},
    "train-step": {"patients": 1024, "batch": 256, "compile": False},
    "ingest": {"events": 200_000, "patients": 2000},
    "inference": {"patients": [1000, 10_000], "scored": 1000},
}
#: Everybody's sizes, where neither an option nor --quick says otherwise.
DEFAULTS: dict[str, dict[str, Any]] = {
    "message-passing": {},
    "train-step": {"patients": 8192, "batch": 512, "modalities": 3, "compile": None},
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
    for name, summary, told, add in (
        (
            "message-passing",
            "every backend beside plain PyG",
            "Times message passing between patients and modalities, forward and back, by every backend of gdsfd and by "
            "plain PyG.",
            _add_message_passing,
        ),
        (
            "train-step",
            "one full step beside plain PyG",
            "Times one training step (batch, forward, loss, back, optimiser) of gdsfd and of the same model in "
            "plain PyG.",
            _add_train_step,
        ),
        (
            "ingest",
            "long-form events beside pandas",
            "Times reading long-form events, a row per measured value, by gdsfd and by pandas.",
            _add_ingest,
        ),
        (
            "inference",
            "one patient, all, and a whole graph in one pass",
            "Times predictions: for one patient, for many in batches, and for a whole graph in one pass.",
            _add_inference,
        ),
    ):
        benchmark = benchmarks.add_parser(
            name,
            help=summary,
            description=f"{told} Outputs are compared before anything is timed; "
            "--json keeps every measurement with versions and hardware.",
            epilog=examples(f"gdsfd bench {name} --quick", f"gdsfd bench {name} --json lines.jsonl"),
            parents=[shared],
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
    parser.add_argument(
        "--quick", action="store_true", help="small sizes and few turns, under a minute; memory is not measured"
    )
    parser.add_argument("--json", metavar="FILE", type=Path, help="append each result to this file, as a line of JSON")
    parser.add_argument("--plot", metavar="FILE", type=Path, help="draw the results into this file (.svg, .png, .pdf)")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu", help="where to compute (default: cpu)")
    parser.add_argument(
        "--threads", type=int, metavar="N", help="threads that torch computes with (default: all processors)"
    )
    parser.add_argument(
        "--turns",
        type=int,
        metavar="N",
        help=f"times that each contestant is timed (default: {TURNS}, with --quick {QUICK_TURNS})",
    )
    parser.add_argument(
        "--budget",
        type=float,
        metavar="SECONDS",
        default=60.0,
        help="end the turns of one comparison after so long (default: 60)",
    )
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="seed of graphs and weights (default: 0)")
    parser.add_argument(
        "--no-memory",
        dest="memory",
        action="store_false",
        help="do not measure peak memory",
    )
    add_quiet_argument(parser)


def _add_sizes(parser: argparse.ArgumentParser, many: bool, modalities: int = 5) -> None:
    """Adds the sizes of a graph.

    Args:
        parser: Of the benchmark.
        many: Whether each takes several values, all combinations of which are measured.
        modalities: Their default number.
    """
    more: dict[str, Any] = {"nargs": "+", "action": "extend"} if many else {}
    parser.add_argument("--modalities", type=int, metavar="K", help=f"modalities (default: {modalities})", **more)
    parser.add_argument(
        "--density", type=float, metavar="P", help="share of patients that have a modality (default: 0.6)", **more
    )
    parser.add_argument("--channels", type=int, metavar="D", help="width of all vectors (default: 128)", **more)
    parser.add_argument("--layers", type=int, metavar="L", help="layers of message passing (default: 2)", **more)
    parser.add_argument("--dtype", metavar="TYPE", help="float32, float64 or bfloat16 (default: float32)", **more)


def _add_message_passing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--patients",
        type=int,
        metavar="N",
        nargs="+",
        action="extend",
        help="patients of the graph; of several values of a size all are measured (default: 20000)",
    )
    _add_sizes(parser, many=True)
    parser.add_argument(
        "--backends",
        metavar="NAME",
        nargs="+",
        action="extend",
        help="backends to time (default: auto and all that can run here)",
    )
    parser.add_argument(
        "--part",
        choices=["encoder", "aggregate", "both"],
        default="both",
        help="the whole encoder, single aggregations, or both (default: both)",
    )
    parser.add_argument(
        "--compile",
        action="store_true",
        help="time plain PyG under torch.compile, too, which takes minutes (always done with cuda)",
    )


def _add_train_step(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--patients", type=int, metavar="N", help="patients in the cohort (default: 8192)")
    _add_sizes(parser, many=False, modalities=3)
    parser.add_argument("--batch", type=int, metavar="B", help="patients per step (default: 512)")
    parser.add_argument(
        "--model", metavar="NAME", default="muse", help="muse, with contrastive views, or streams (default: muse)"
    )
    parser.add_argument(
        "--compile",
        action=argparse.BooleanOptionalAction,
        help="time the step as the setting 'compiled' trains, too; compiling takes a minute (default: where there is a "
        "C++ compiler, and not with --quick)",
    )


def _add_ingest(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--events", type=int, metavar="N", help="rows that are read (default: 20000000)")
    parser.add_argument("--patients", type=int, metavar="N", help="patients that they belong to (default: 200000)")
    parser.add_argument(
        "--measure",
        choices=["process", "work"],
        default="process",
        help="from the start of the process to its exit, or the work alone (default: process)",
    )
    _add_repetitions(parser)


def _add_repetitions(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--repetitions",
        type=int,
        metavar="N",
        help=f"times that everything is repeated (default: {REPETITIONS}, with --quick {QUICK_REPETITIONS})",
    )


def _add_inference(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--patients",
        type=int,
        metavar="N",
        nargs="+",
        action="extend",
        help="patients of the whole graph, one size after the other (default: 100000 1000000)",
    )
    parser.add_argument("--scored", type=int, metavar="N", help="patients scored in batches (default: 10000)")
    _add_sizes(parser, many=False)
    parser.add_argument(
        "--part",
        choices=["patients", "full-graph", "both"],
        default="both",
        help="predictions for patients, of a full graph in one pass, or both (default: both)",
    )
    _add_repetitions(parser)
    parser.add_argument(
        "--plain-up-to",
        type=int,
        metavar="N",
        default=100_000,
        help="up to how many patients plain PyG takes part, which needs much memory (default: 100000)",
    )
