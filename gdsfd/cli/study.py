"""``gdsfd study``: when does fusion help, which fusion, how robust, how fair."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path

from gdsfd.cli.compare import names_in, one_line, seeds_in
from gdsfd.cli.machine import add_json_argument, tell_machine
from gdsfd.cli.progress import heartbeat, on_terminal
from gdsfd.cli.settings import add_set_argument, read_settings

__all__ = ["add_parser", "run"]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    """Adds the sub-command."""
    parser = commands.add_parser(
        "study",
        help="when does fusion help, which fusion, how robust, how fair",
        description="Plans first, fits learners and simple models on the same patients, and answers four questions "
        "with intervals. Run again into the same folder, it goes on where it stopped.",
        parents=[shared],
        allow_abbrev=False,
    )
    parser.add_argument("graph", metavar="GRAPH", help="folder of a graph, or a spec (split anew for each seed)")
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="for report.html, answers.json, ...")
    parser.add_argument("--questions", metavar="1,2", default="1,2,3,4", help="default: all four")
    parser.add_argument(
        "--learners", metavar="A,B", help="backbones, also with options (late:fusion=sum), and baselines"
    )
    parser.add_argument("--seeds", metavar="N", help="how many, or which: 0,1,7 (default: 5, quick 3)")
    parser.add_argument("--groups", metavar="A,B", help="attributes of question 4 (default: those of the spec)")
    parser.add_argument("--folds", metavar="N", type=int, help="subject-grouped folds for each seed (default: splits)")
    parser.add_argument(
        "--leave-out-environments",
        action="store_true",
        help="every learner is also judged on each environment after training on the others",
    )
    parser.add_argument(
        "--condition",
        metavar="C",
        action="append",
        default=[],
        help='what else test patients lose: "hidden in ill 0.8: imaging"; may be repeated',
    )
    parser.add_argument(
        "--train-condition",
        metavar="C",
        action="append",
        default=[],
        help='learners are trained again on patients who lose this, and meet it and its flip: "dropout 0.5"; may be '
        "repeated",
    )
    parser.add_argument("--retrain", metavar="A,B", help="which learners are trained again (default: all)")
    parser.add_argument(
        "--details",
        action=argparse.BooleanOptionalAction,
        help="also every set of modalities, fewer training patients, placebos (default: not with --quick)",
    )
    parser.add_argument("--jobs", metavar="N", type=int, default=1, help="fits at once (default: 1)")
    parser.add_argument(
        "--cluster", metavar="ADDRESS", help="fit on the workers of a Dask cluster: its scheduler's tcp://host:port"
    )
    parser.add_argument("--quick", action="store_true", help="5 learners, 3 seeds, 2,000 patients, 15 epochs")
    add_set_argument(parser, "max_epochs=50")
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors")
    add_json_argument(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Fits what is missing and prints the answers."""
    from gdsfd.errors import InputError
    from gdsfd.fusion_study.study import study
    from gdsfd.training.config import TrainConfig

    settings = read_settings(arguments.settings, [field.name for field in dataclasses.fields(TrainConfig)])
    try:
        questions = [int(number) for number in names_in(arguments.questions)]
    except ValueError:
        raise InputError(f"--questions {arguments.questions}: expected numbers with commas: 1,2") from None
    with heartbeat("studying", arguments.quiet) as tell:
        found = study(
            arguments.graph,
            arguments.out,
            questions=questions,
            learners=None if arguments.learners is None else names_in(arguments.learners),
            seeds=None if arguments.seeds is None else seeds_in(arguments.seeds),
            groups=None if arguments.groups is None else names_in(arguments.groups),
            folds=arguments.folds,
            leave_out_environments=arguments.leave_out_environments,
            conditions=arguments.condition,
            train_conditions=arguments.train_condition,
            retrain=None if arguments.retrain is None else names_in(arguments.retrain),
            details=arguments.details,
            quick=arguments.quick,
            jobs=arguments.jobs,
            cluster=arguments.cluster,
            on_fit=one_line() if on_terminal(arguments.quiet) else tell,
            **settings,
        )
    if on_terminal(arguments.quiet):
        print("\r\033[K", end="", file=sys.stderr)
    answers = [
        {"number": each.number, "question": each.question, "sentences": each.sentences, "facts": each.facts}
        for each in found.answers
    ]
    tell_machine(arguments, page=found.page, answers=answers)
    if not arguments.quiet:
        for answer in found.answers:
            print(f"{answer.number}. {answer.question}", *(f"   {sentence}" for sentence in answer.sentences), sep="\n")
        print(f"\npage: {found.page}")
