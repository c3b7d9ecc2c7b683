"""``gdsfd build``: exports to a graph, with a receipt."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from gdsfd.cli.help_text import examples
from gdsfd.cli.machine import add_json_argument, tell_machine
from gdsfd.cli.output import check_out_folder
from gdsfd.cli.progress import heartbeat, on_terminal
from gdsfd.cli.screen import screen_width
from gdsfd.cli.shared_arguments import add_force_argument, add_quiet_argument
from gdsfd.private_folder import folder_beside

if TYPE_CHECKING:
    from gdsfd.cohort.schema import CohortSchema

__all__ = ["add_parser", "run", "schema_of"]

#: As ``gdsfd.cohort.sources.engines`` has them, whose package is heavy: ``--help`` answers at once.
ENGINES = ("duckdb", "spark")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    """Adds the sub-command."""
    parser = commands.add_parser(
        "build",
        help="exports to graph, with a receipt of what was read, dropped and why",
        description="Reads the exports that a spec describes, writes the graph and prints the receipt: what was read, "
        "what was dropped and why, who has what.",
        epilog=examples(
            "gdsfd build spec.toml --out graph",
            "gdsfd build new_patients.toml --like run --out new_graph",
        ),
        parents=[shared],
    )
    parser.add_argument("spec", metavar="SPEC", type=Path, help="the cohort spec, a TOML file")
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="folder for the graph and receipt.json")
    parser.add_argument(
        "--like",
        metavar="GRAPH|RUN",
        type=Path,
        help="for new patients: read them with the vocabularies, scales and categories of this graph or trained "
        "model; all of them are then one evaluation set, called new (default: fit these on the train patients)",
    )
    parser.add_argument(
        "--engine",
        choices=ENGINES,
        help="what reads the exports: duckdb, on this machine, or spark, which also reads tables of a catalogue and "
        "URLs; the graph is the same (default: the spec's engine, else duckdb)",
    )
    parser.add_argument(
        "--master",
        metavar="URL",
        help="with --engine spark: where it runs, local[4] or spark://host:7077 say (default: what Spark's own "
        "configuration says, else this machine)",
    )
    add_quiet_argument(parser)
    add_json_argument(parser)
    parser.add_argument(
        "--show-ids",
        action="store_true",
        help="name patients whose rows were dropped in the receipt, five per reason (default: no ids)",
    )
    add_force_argument(parser, "a graph")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Builds, saves, prints."""
    check_out_folder(arguments.out, "graph.json", "graph", arguments.force)

    from gdsfd.cohort.receipt.text import receipt_text
    from gdsfd.cohort.receipt.text_table import WIDTH
    from gdsfd.graph.build import build_graph
    from gdsfd.graph.serialization import save_graph

    like = schema_of(arguments.like) if arguments.like else None
    with heartbeat("building", arguments.quiet):
        # The database of the build holds patients, so it lies where the graph will, not among temporary files.
        with folder_beside(Path(os.path.realpath(arguments.out))) as scratch:
            progress = on_terminal(arguments.quiet)
            graph = build_graph(
                arguments.spec,
                like,
                progress,
                scratch=scratch,
                show_ids=arguments.show_ids,
                engine=arguments.engine,
                master=arguments.master,
            )
        save_graph(graph, arguments.out)
    tell_machine(arguments, graph=arguments.out, receipt=graph.receipt.to_dict())
    if not arguments.quiet:
        print(receipt_text(graph.receipt, screen_width(WIDTH) or WIDTH))
        print(f"graph: {arguments.out}")
        if like is None:
            print(f"next:  gdsfd train {arguments.out} --out run")


def schema_of(folder: Path) -> CohortSchema:
    """The fitted schema of a trained model, or of a graph.

    Args:
        folder: The model's or the graph's.

    Raises:
        InputError: It is neither, or damaged.
    """
    from gdsfd.cohort.schema import CohortSchema
    from gdsfd.graph.serialization import load_graph
    from gdsfd.training.storage.model_folder import is_model, read_model

    if is_model(folder):
        return CohortSchema.from_dict(read_model(folder)["schema"])
    schema: CohortSchema = load_graph(folder).schema
    return schema
