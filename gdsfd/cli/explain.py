"""``gdsfd explain``: why patients got their scores, as a page and as tables."""

from __future__ import annotations

import argparse
from pathlib import Path

from gdsfd.cli.machine import add_json_argument, tell_machine
from gdsfd.cli.output import check_out_folder

__all__ = ["add_parser", "run"]

#: Patients whose explanation is printed, too.
MOST_PRINTED = 3


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    """Adds the sub-command."""
    parser = commands.add_parser(
        "explain",
        help="why patients got their scores: what each modality and each value added",
        description="Writes explanation.html, explanation.json, patients.csv, modalities.csv and values.csv. "
        "Found out by taking away what was recorded of a patient; nothing is fitted and no label is read.",
        parents=[shared],
        allow_abbrev=False,
    )
    parser.add_argument("model", metavar="RUN", type=Path, help="folder of a trained model")
    parser.add_argument("graph", metavar="GRAPH", type=Path, help="folder of a graph")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--split", help="the split whose patients are explained")
    which.add_argument("--ids", nargs="+", metavar="ID", help="these patients, in this order")
    parser.add_argument("--target", help='the outcome, or "outcome: class"; needed where there are several')
    parser.add_argument(
        "--of",
        choices=("prediction", "biased"),
        default="prediction",
        help="biased: what the biased stream reads, of a model with two streams",
    )
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="folder for the page and the tables")
    parser.add_argument("--force", action="store_true", help="replace an explanation that is already there")
    add_json_argument(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Explains and writes the folder."""
    check_out_folder(arguments.out, "explanation.json", "set of explanations", arguments.force)

    from gdsfd.graph.serialization import load_graph
    from gdsfd.training.debiaser import Debiaser

    model, graph = Debiaser.load(arguments.model), load_graph(arguments.graph)
    found = model.explain(graph, split=arguments.split, ids=arguments.ids, target=arguments.target, of=arguments.of)
    written = found.save(arguments.out)
    tell_machine(arguments, explanation=written, patients=len(found.patients), note=found.note)
    if arguments.machine:
        return
    for name in found.patients["id"].head(MOST_PRINTED):
        print(found.text(name))
    if found.note:
        print(found.note)
    print(f"{len(found.patients)} patients: {written}")
