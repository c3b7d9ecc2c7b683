"""``gdsfd train``: a graph to a model."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from multiprocessing import get_all_start_methods
from pathlib import Path
from typing import Any

from gdsfd.cli.help_text import examples
from gdsfd.cli.machine import add_json_argument, tell_machine
from gdsfd.cli.output import check_out_folder
from gdsfd.cli.progress import epoch_words, heartbeat, on_terminal
from gdsfd.cli.screen import paragraph
from gdsfd.cli.settings import TRAINING, add_set_argument, read_settings
from gdsfd.cli.shared_arguments import add_force_argument, add_quiet_argument, add_seed_argument

__all__ = ["add_parser", "run"]

#: By this file the folder of a trained model is known.
MODEL_FILE = "model.json"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    """Adds the sub-command."""
    parser = commands.add_parser(
        "train",
        help="graph to model",
        description="Trains a predictor on the train patients of a graph; when to stop is told by the tuning patients. "
        "With --debias two models are trained, with and without it, and a guard says which of them predicts.",
        epilog=examples(
            "gdsfd train graph --out run",
            "gdsfd train graph --out run --backbone concat --debias margin",
            "gdsfd train graph --out run --set learning_rate=3e-4 --set channels=64",
        ),
        parents=[shared],
    )
    parser.add_argument("graph", metavar="GRAPH", type=Path, help="folder of a graph, as gdsfd build makes it")
    parser.add_argument("--out", metavar="RUN", type=Path, required=True, help="folder for the trained model")
    parser.add_argument(
        "--backbone",
        metavar="NAME",
        help="how a patient's modalities become one vector: concat, muse, grape, or another that gdsfd learners lists "
        "(default: muse)",
    )
    parser.add_argument(
        "--debias",
        metavar="MODE",
        help="none, margin, latent, full, streams, prototypes, strata, group_dro, vrex, irm, mmd or dfd; "
        "docs/debiasing.md says "
        "which is for what (default: none)",
    )
    add_seed_argument(parser, "initial weights, shuffling and dropout", None)
    parser.add_argument(
        "--epochs", type=int, metavar="N", help="at most so many passes over the train patients (default: 100)"
    )
    add_set_argument(parser, "learning_rate=3e-4", TRAINING)
    parser.add_argument("--resume", action="store_true", help="go on from the last finished epoch of a killed run")
    parser.add_argument(
        "--no-baselines",
        action="store_true",
        help="leave out gradient boosting and logistic regression, which are kept with the model so that gdsfd "
        "evaluate "
        "can set them beside it",
    )
    parser.add_argument(
        "--jobs",
        metavar="N",
        type=int,
        help="fits of a debiased model at once, each in a process with its share of the threads (default: on a CPU and "
        "below 10,000 training patients as many as there are threads, at most 4; else 1)",
    )
    parser.add_argument(
        "--devices",
        metavar="N",
        type=int,
        help="processes that train each network together, on a GPU each or sharing the CPU's threads (default: 1)",
    )
    add_quiet_argument(parser)
    add_json_argument(parser)
    add_force_argument(parser, "a model")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Trains and saves."""
    if arguments.resume and (arguments.out / MODEL_FILE).exists():
        print(f"{arguments.out}: this run is finished, there is nothing to resume", file=sys.stderr)
        tell_machine(arguments, model=arguments.out)
        return
    check_out_folder(arguments.out, MODEL_FILE, "trained model", arguments.force)

    from gdsfd.process_lock import check_unlocked
    from gdsfd.training.storage.checkpoint import already_training, lock_file

    check_unlocked(lock_file(arguments.out), already_training(arguments.out))

    several = arguments.jobs != 1 and arguments.debias not in (None, "none") and arguments.devices in (None, 1)
    if several and "forkserver" in get_all_start_methods():
        from gdsfd.worker_process import fitting_processes

        fitting_processes()  # they import beside this one

    import torch

    from gdsfd.graph.loader import rows_of
    from gdsfd.graph.serialization import load_graph
    from gdsfd.training.config import TrainConfig
    from gdsfd.training.debiaser import Debiaser
    from gdsfd.training.plan import fits_at_once

    given = {
        "backbone": arguments.backbone,
        "debias": arguments.debias,
        "seed": arguments.seed,
        "max_epochs": arguments.epochs,
        "devices": arguments.devices,
    }
    options: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    known = [*given, "suspects", "device", *(field.name for field in dataclasses.fields(TrainConfig))]
    options.update(read_settings(arguments.settings, known, taken=options))
    model = Debiaser(**options)
    with heartbeat(f"training {model.backbone}", arguments.quiet) as tell:
        graph = load_graph(arguments.graph)
        planned = model.plan(graph)
        train_patients, threads = rows_of(graph, "train").numel(), torch.get_num_threads()
        jobs = arguments.jobs
        if jobs is None:
            jobs = fits_at_once(planned, train_patients, model.config.accelerator, threads)
        plan = dataclasses.replace(planned, at_once=min(jobs, planned.fits)).explanation
        if not arguments.quiet:
            print(paragraph(f"plan: {plan}"), flush=True)
        model.fit(
            graph,
            out=arguments.out,
            resume=arguments.resume,
            on_epoch=lambda row: tell(epoch_words(row, model.config.max_epochs)),
            progress=on_terminal(arguments.quiet),
            baselines=not arguments.no_baselines,
            jobs=jobs,
        )
    tell_machine(arguments, model=arguments.out, training=model.describe(), plan=plan)
    if model.guard is not None:
        tell_machine(arguments, guard=model.guard.to_dict())
    if not arguments.quiet:
        print(_account(model.describe()))
        if model.guard is not None:
            print(paragraph(model.guard.explanation))
        print(f"model: {arguments.out}\nnext:  gdsfd evaluate {arguments.out} {arguments.graph} --out report")


def _account(training: dict[str, Any]) -> str:
    ended: dict[str, str] = training["ended"]
    lines = [
        f"{training['backbone']}, {training['parameters']:,} parameters: {training['epochs']} epochs on "
        f"{training['train_patients']:,} patients in {training['seconds']:,.1f} s; kept epoch {training['best_epoch']}",
        *(why if len(ended) == 1 else f"{name}: {why}" for name, why in ended.items()),
    ]
    return "\n".join(map(paragraph, lines))
