"""``gdsfd check``: everything that is wrong with a spec and its exports, at once, without building."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from gdsfd.cli.help_text import examples
from gdsfd.cli.machine import add_json_argument, tell_machine
from gdsfd.cli.progress import heartbeat
from gdsfd.cli.shared_arguments import add_quiet_argument
from gdsfd.errors import InputError, cut_text

if TYPE_CHECKING:
    from gdsfd.cohort.spec_check import SpecCheck

__all__ = ["add_parser", "check_text", "run", "stands_for_text"]

_FAULT_CHARACTERS = 2_000


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    """Adds the sub-command."""
    parser = commands.add_parser(
        "check",
        help="everything that is wrong with a spec and its files, at once, without building",
        description="Reads a spec and all files it names, and says everything that is wrong at once: unknown keys, "
        "files and columns that are not there (with near names), repeated ids, outcome values that nobody declared, "
        "ids that match nothing, times and numbers that cannot be read. Nothing is built or written. Of a spec with a "
        "format (meds, omop) it prints the ordinary spec that the format stands for. Exit code 2 where anything is "
        "wrong; else the spec builds.",
        epilog=examples("gdsfd check spec.toml", "gdsfd check new_patients.toml --like run"),
        parents=[shared],
    )
    parser.add_argument("spec", metavar="SPEC", type=Path, help="the cohort spec, a TOML file")
    parser.add_argument(
        "--like",
        metavar="GRAPH|RUN",
        type=Path,
        help="for new patients: check what gdsfd build --like would read with this graph or trained model (default: "
        "check a cohort to train on)",
    )
    add_quiet_argument(parser)
    add_json_argument(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Checks and says what was found."""
    from gdsfd.cli.build import schema_of
    from gdsfd.cohort.spec_check import check_spec

    like = schema_of(arguments.like) if arguments.like else None
    with heartbeat("checking", arguments.quiet, line=True) as tell:
        found = check_spec(arguments.spec, like, on_part=tell)
    for drop in (drop for source in (*found.modalities, found.cohort) if source is not None for drop in source.drops):
        if drop.names_patients:
            drop.examples = []  # no ids of patients, as in a receipt
    tell_machine(arguments, **asdict(found))
    if found.stands_for is not None and not arguments.quiet:
        print(f"{stands_for_text(found)}\n")
    if not found.ok:
        for fault in found.faults:  # each by itself: one message has a limit, all of them together have none
            print(cut_text(f"{fault.where}: {fault.text}", _FAULT_CHARACTERS), file=sys.stderr)
        count = len(found.faults)
        raise InputError(f"{arguments.spec}: {count} {'thing is' if count == 1 else 'things are'} wrong, listed above")
    if not arguments.quiet:
        beside = f" --like {arguments.like}" if arguments.like else ""
        print(f"{check_text(found)}\nnext: gdsfd build {arguments.spec}{beside} --out graph")


def stands_for_text(found: SpecCheck) -> str:
    """The spec that a format stands for: what is written by hand in its place builds the same graph.

    Args:
        found: What was found.
    """
    from gdsfd.first_spec.fields_text import fields_text

    lines = [
        "# the format stands for this; copy and change what should be otherwise",
        fields_text(found.stands_for or {}),
    ]
    told = [f"{name}: {text}" for name, texts in found.chosen.items() for text in texts]
    return "\n".join([*lines, *(f"\n# {text}" for text in [*told, *(f"left out: {each}" for each in found.left_out)])])


def check_text(found: SpecCheck) -> str:
    """What a spec without a fault would build, a line per part, then the warnings.

    Args:
        found: What was found.
    """
    lines = []
    if found.cohort is not None:
        lines.append(f"cohort: {found.cohort.rows_kept:,} patients")
    for receipt in found.modalities:
        kept = f"{receipt.rows_kept:,} of {receipt.rows_read:,} rows"
        lines.append(f"{receipt.name} ({receipt.kind}): {receipt.patients:,} patients, {kept}")
    lines += [f"warning: {each.where}: {each.text}" for each in found.warnings]
    return "\n".join([*lines, "nothing is wrong"])
