"""``gdsfd demo``: the whole way on a simulated cohort."""

from __future__ import annotations

import argparse
import json
import os
import shutil
from copy import copy
from multiprocessing import get_all_start_methods
from pathlib import Path
from typing import Annotated

from gdsfd.atomic_write import check_writable
from gdsfd.cli.help_text import examples
from gdsfd.cli.machine import add_json_argument, tell_machine
from gdsfd.cli.output import check_out_folder
from gdsfd.cli.progress import epoch_words, heartbeat, on_terminal
from gdsfd.cli.screen import paragraph, screen_width
from gdsfd.cli.shared_arguments import RESAMPLES, add_force_argument, add_quiet_argument, add_seed_argument

__all__ = ["MODELS", "add_parser", "run"]

#: Run -> backbone and debiasing, trained one after the other. The report judges the first; beside it stand the others
#: and the first one's backbone without debiasing, which is trained along with it.
MODELS = {"muse_full": ("muse", "full")}

#: Folders the demo makes.
PARTS = ("exports", "graph", "runs", "report")

#: In so few epochs of so few patients smaller steps do not get far enough for risks to be calibrated.
_LEARNING_RATE = 2e-3

#: Fits at once: their steps are too small for two cores.
_CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
_JOBS = min(2, _CORES) if "forkserver" in get_all_start_methods() else 1

#: Marks a folder as the demo's.
MARKER = "demo.json"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    """Adds the sub-command."""
    parser = commands.add_parser(
        "demo",
        help="the whole way on a simulated cohort: simulate, build, train, evaluate",
        description="Simulates exports, builds the graph, trains models with and without debiasing, and reports on all "
        "evaluation splits. Takes about a minute on two idle cores; then open report/report.html in the folder.",
        epilog=examples("gdsfd demo --out demo", "gdsfd demo --out demo --patients 500 --epochs 3"),
        parents=[shared],
    )
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="folder for everything the demo makes")
    parser.add_argument(
        "--patients",
        metavar="N",
        type=int,
        default=2000,
        help="patients in train, tuning and test together; further evaluation sets come on top (default: 2000)",
    )
    parser.add_argument(
        "--epochs",
        metavar="N",
        type=int,
        default=10,
        help="at most so many passes over the train patients (default: 10)",
    )
    parser.add_argument("--resamples", type=int, default=200, metavar="N", help=RESAMPLES.format(200))
    add_seed_argument(parser, "the cohort and of training")
    parser.add_argument(
        "--jobs",
        metavar="N",
        type=int,
        default=_JOBS,
        help="fits at once, each in a process (default: 2, on one core 1)",
    )
    add_quiet_argument(parser, "print only the headline")
    add_json_argument(parser)
    add_force_argument(parser, "a demo")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Simulate -> build -> train -> evaluate."""
    out: Path = arguments.out
    check_out_folder(out, MARKER, "demo", arguments.force)
    check_writable(out, inside=True)
    out = Path(os.path.realpath(out)) if out.is_symlink() else out

    if arguments.jobs > 1:
        from gdsfd.worker_process import fitting_processes

        fitting_processes()  # they import beside this one

    from gdsfd.cli.headline import headline
    from gdsfd.cohort.receipt.text import receipt_text
    from gdsfd.cohort.receipt.text_table import WIDTH
    from gdsfd.evaluation.assess import ProbabilisticModel
    from gdsfd.evaluation.evaluation import evaluate
    from gdsfd.graph.build import build_graph
    from gdsfd.graph.serialization import save_graph
    from gdsfd.setting_checks import Whole, checked
    from gdsfd.simulation.config import SPLITS, SimulationConfig
    from gdsfd.simulation.simulate import simulate
    from gdsfd.simulation.truth import load_truth
    from gdsfd.training.debiaser import Debiaser

    def say(text: str) -> None:
        if not arguments.quiet:
            print(text, flush=True)

    SimulationConfig(patients=arguments.patients, seed=arguments.seed)  # wrong numbers are refused here
    models = {
        name: Debiaser(backbone, debias, seed=arguments.seed, max_epochs=arguments.epochs, learning_rate=_LEARNING_RATE)
        for name, (backbone, debias) in MODELS.items()
    }
    checked(arguments.jobs, Annotated[int, Whole(1, 256)], "--jobs")
    progress = on_terminal(arguments.quiet)
    splits = [name for name in SPLITS if name.startswith("test")]

    for part in PARTS:  # of an earlier demo; what else the user keeps there stays
        shutil.rmtree(out / part, ignore_errors=True)
    out.mkdir(parents=True, exist_ok=True)
    marker = {"format": "gdsfd demo", "patients": arguments.patients, "seed": arguments.seed}
    (out / MARKER).write_text(json.dumps(marker), encoding="utf-8")
    say(f"simulating a cohort of {arguments.patients:,} patients and the further evaluation sets: {out / 'exports'}")
    simulate(out / "exports", patients=arguments.patients, seed=arguments.seed)
    say(f"building the graph: {out / 'graph'}\n")
    graph = build_graph(out / "exports" / "spec.toml", progress=progress)
    save_graph(graph, out / "graph")
    say(receipt_text(graph.receipt, screen_width(WIDTH) or WIDTH) + "\n")

    for name, model in models.items():
        how = "" if model.streams is None else f" without and with debiasing ({model.debias}), and comparing them"
        say(f"training {model.backbone}{how}: {out / 'runs' / name}")
        with heartbeat(f"training {model.backbone}", arguments.quiet) as tell:
            model.fit(
                graph,
                out=out / "runs" / name,
                on_epoch=lambda row: tell(epoch_words(row, arguments.epochs)),
                progress=progress,
                baselines=name == next(iter(models)),
                jobs=arguments.jobs,
            )
        if model.guard is not None:
            say(paragraph(model.guard.explanation))
    judged, *rest = models.values()
    assert judged.record is not None  # it was just trained
    others: dict[str, ProbabilisticModel] = {
        **{baseline.name: baseline for baseline in judged.record.baselines.values()},
        judged.backbone: copy(judged).use("reference"),
        **{model.backbone: model for model in rest},
    }
    say(f"evaluating on {', '.join(splits)}: {out / 'report'}\n")
    report = evaluate(
        judged,
        graph,
        split=splits,
        baselines=others,
        resamples=arguments.resamples,
        seed=arguments.seed,
        truth=load_truth(out / "exports"),
        progress=progress,
    )
    report.save(out / "report")
    tell_machine(arguments, report=out / "report", metrics=report.to_frame().to_dict("records"))
    if not arguments.machine:
        print(headline(report.to_frame(), screen_width()))
        print(f"\nreport: {out / 'report' / 'report.html'}")
