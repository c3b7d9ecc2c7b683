"""``gdsfd explain``: why patients got their scores, as a page and as tables."""

from __future__ import annotations

import argparse
from pathlib import Path

from gdsfd.cli.help_text import examples
from gdsfd.cli.machine import add_json_argument, tell_machine
from gdsfd.cli.output import check_out_folder
from gdsfd.cli.progress import heartbeat, on_terminal
from gdsfd.cli.shared_arguments import add_force_argument, add_quiet_argument

__all__ = ["add_parser", "run"]

#: Patients whose explanation is printed, too.
MOST_PRINTED = 3


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    """Adds the sub-command."""
    parser = commands.add_parser(
        "explain",
        help="why patients got their scores: what each modality and each value added",
        description="Takes away what was recorded of a patient, modality by modality and value by value, and says how "
        "the score changes. Nothing is fitted and no label is read. Writes explanation.html, explanation.json, "
        "patients.csv, modalities.csv and values.csv.",
        epilog=examples(
            "gdsfd explain run graph --ids 141765 --out why",
            "gdsfd explain run graph --split test --out why",
        ),
        parents=[shared],
    )
    parser.add_argument("model", metavar="RUN", type=Path, help="folder of a trained model, as gdsfd train makes it")
    parser.add_argument("graph", metavar="GRAPH", type=Path, help="folder of a graph, as gdsfd build makes it")
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="folder for the page and the tables")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--split", help="explain the patients of this split")
    which.add_argument("--ids", nargs="+", action="extend", metavar="ID", help="explain these patients, in this order")
    parser.add_argument(
        "--target",
        metavar="OUTCOME",
        help="which outcome, or 'OUTCOME: CLASS'; needed where there are several. Of a time to an event also an "
        "interval, whose hazard is then explained (default: the event by the horizon)",
    )
    parser.add_argument(
        "--of",
        choices=("prediction", "biased"),
        default="prediction",
        help="prediction: the score; biased: what the biased stream reads, of a model with two streams (default: "
        "prediction)",
    )
    add_quiet_argument(parser)
    add_json_argument(parser)
    add_force_argument(parser, "an explanation")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Explains and writes the folder."""
    check_out_folder(arguments.out, "explanation.json", "set of explanations", arguments.force)

    from gdsfd.graph.serialization import load_graph
    from gdsfd.training.debiaser import Debiaser

    model, graph = Debiaser.load(arguments.model), load_graph(arguments.graph)
    with heartbeat("explaining", arguments.quiet):
        found = model.explain(
            graph,
            split=arguments.split,
            ids=arguments.ids,
            target=arguments.target,
            of=arguments.of,
            progress=on_terminal(arguments.quiet),
        )
    written = found.save(arguments.out)
    tell_machine(arguments, explanation=written, patients=len(found.patients), note=found.note)
    if arguments.quiet:
        return
    for name in found.patients["id"].head(MOST_PRINTED):
        print(found.text(name))
    if found.note:
        print(found.note)
    print(f"{len(found.patients)} patient{'s' if len(found.patients) != 1 else ''}: {written}")
