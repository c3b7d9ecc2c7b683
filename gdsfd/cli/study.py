"""``gdsfd study``: when does fusion help, which fusion, how robust, how fair."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from gdsfd.cli.compare import names_in, seeds_in
from gdsfd.cli.help_text import examples
from gdsfd.cli.machine import add_json_argument, tell_machine
from gdsfd.cli.progress import heartbeat
from gdsfd.cli.screen import paragraph
from gdsfd.cli.settings import TRAINING, add_set_argument, read_settings
from gdsfd.cli.shared_arguments import add_quiet_argument

__all__ = ["add_parser", "run"]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    """Adds the sub-command."""
    parser = commands.add_parser(
        "study",
        help="when does fusion help, which fusion, how robust, how fair",
        description="Plans first, fits learners and simple models on the same patients, and answers four questions "
        "with intervals: 1 when do several modalities help, 2 which way of fusing them, 3 how robust is it where some "
        "are missing, 4 how fair. Run again into the same folder, it goes on where it stopped. Begin with --quick.",
        epilog=examples(
            "gdsfd study spec.toml --quick --out study",
            "gdsfd study spec.toml --learners concat,muse,boosting --out study",
        ),
        parents=[shared],
    )
    parser.add_argument(
        "graph",
        metavar="GRAPH",
        help="folder of a graph, as gdsfd build makes it, or a spec (split anew for each seed)",
    )
    parser.add_argument(
        "--out", metavar="DIR", type=Path, required=True, help="folder for report.html, answers.json and all figures"
    )
    parser.add_argument(
        "--questions", metavar="1,2", default="1,2,3,4", help="numbers of those to answer (default: 1,2,3,4)"
    )
    parser.add_argument(
        "--learners",
        metavar="A,B",
        help="backbones, also with options (late:fusion=sum), and baselines (default: a list that stands in plan.json, "
        "shorter with --quick)",
    )
    parser.add_argument("--seeds", metavar="N", help="how many seeds, or which: 0,1,7 (default: 5, with --quick 3)")
    parser.add_argument(
        "--groups", metavar="A,B", help="groups between which question 4 looks for gaps (default: those of the spec)"
    )
    parser.add_argument(
        "--folds",
        metavar="N",
        type=int,
        help="cross-validate with N folds of whole subjects for each seed (default: one split per seed)",
    )
    parser.add_argument(
        "--leave-out-environments",
        action="store_true",
        help="judge every learner also on each environment after training on the others",
    )
    parser.add_argument(
        "--condition",
        metavar="C",
        action="append",
        default=[],
        help='question 3: what else test patients lose, "hidden in ill 0.8: imaging" say (docs/study.md lists what '
        "there is); may be repeated",
    )
    parser.add_argument(
        "--train-condition",
        metavar="C",
        action="append",
        default=[],
        help='question 3: train learners again on patients who lose this, "dropout 0.5" say, and judge them on '
        "patients who lose it and on its opposite; may be repeated",
    )
    parser.add_argument(
        "--retrain", metavar="A,B", help="with --train-condition: which learners are trained again (default: all)"
    )
    parser.add_argument(
        "--details",
        action=argparse.BooleanOptionalAction,
        help="question 1: also every set of modalities, fewer training patients, placebos (default: --details, "
        "with --quick "
        "--no-details)",
    )
    parser.add_argument(
        "--jobs",
        metavar="N",
        type=int,
        help="fits at once, each in a process (default: as many as there are threads, at most 4, on a CPU and below "
        "10,000 training patients; else 1)",
    )
    parser.add_argument(
        "--cluster", metavar="ADDRESS", help="fit on the workers of a Dask cluster: its scheduler's tcp://host:port"
    )
    parser.add_argument(
        "--quick", action="store_true", help="5 learners, 3 seeds, at most 2,000 patients, at most 15 epochs"
    )
    add_set_argument(parser, "max_epochs=50", TRAINING)
    add_quiet_argument(parser)
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
    with heartbeat("studying", arguments.quiet, line=True) as tell:
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
            on_fit=tell,
            **settings,
        )
    answers = [
        {"number": each.number, "question": each.question, "sentences": each.sentences, "facts": each.facts}
        for each in found.answers
    ]
    tell_machine(arguments, page=found.page, answers=answers)
    if not arguments.quiet:
        for answer in found.answers:
            print(
                f"{answer.number}. {answer.question}", *(paragraph(each, "   ") for each in answer.sentences), sep="\n"
            )
        print(f"\npage: {found.page}")
