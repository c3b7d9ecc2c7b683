"""``gdsfd init``: a first spec for exports, with a comment on every guess."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gdsfd.cli.help_text import examples
from gdsfd.cli.machine import add_json_argument, tell_machine
from gdsfd.cli.output import check_out_file
from gdsfd.cli.progress import heartbeat
from gdsfd.cli.shared_arguments import add_force_argument, add_quiet_argument
from gdsfd.errors import InputError, shown

if TYPE_CHECKING:
    from gdsfd.first_spec.init_spec import FirstSpec, Look

__all__ = ["add_parser", "init_text", "run"]

#: Warnings that are printed.
MOST_WARNINGS = 8


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    """Adds the sub-command."""
    parser = commands.add_parser(
        "init",
        help="a first spec for a folder of exports, with a comment on every guess",
        description="Looks at a folder of exports (or files, or a DuckDB or SQLite database), guesses which table has "
        "one row per patient, ids, persons, sites, times, kinds and windows, leaves out what would give the outcome "
        "away, and writes a spec that builds, with the reason above every guess. The outcome is not guessed: it is "
        "asked for on a terminal, and must be named with --outcome elsewhere.",
        epilog=examples(
            "gdsfd init exports/ --outcome died --out spec.toml",
            "gdsfd init exports/ --outcome status --positive Expired --out spec.toml",
        ),
        parents=[shared],
    )
    parser.add_argument("exports", metavar="EXPORTS", nargs="+", help="a folder, files, or a database file")
    parser.add_argument(
        "--out", metavar="SPEC", type=Path, required=True, help="the spec to write, for example spec.toml"
    )
    parser.add_argument(
        "--outcome",
        metavar="COLUMN",
        help="the column that is predicted; TABLE.COLUMN where several tables have it (default: asked for on a "
        "terminal)",
    )
    parser.add_argument(
        "--positive",
        metavar="VALUE",
        nargs="+",
        action="extend",
        default=[],
        help="the values of --outcome that are positive (default: told from the values where that is plain: 1 and "
        "0, yes "
        "and no, Expired and Alive, ...)",
    )
    parser.add_argument(
        "--negative",
        metavar="VALUE",
        nargs="+",
        action="extend",
        default=[],
        help="the values of --outcome that are negative; all further ones are then unlabelled (default: all that "
        "are not "
        "positive)",
    )
    parser.add_argument(
        "--classes",
        metavar="VALUE",
        nargs="+",
        action="extend",
        default=[],
        help="instead of --positive: the values of --outcome that are its classes, three or more",
    )
    parser.add_argument("--id", metavar="COLUMN", help="the column of the patient ids (default: a guess)")
    parser.add_argument(
        "--cohort",
        metavar="TABLE",
        help="the table with one row per patient (default: the one that has the outcome)",
    )
    parser.add_argument(
        "--hours",
        metavar="H",
        type=float,
        help="when predictions are made, in hours after the beginning (admission); what was recorded later is left out "
        "(default: a guess, mostly 24)",
    )
    parser.add_argument(
        "--untried",
        action="store_true",
        help="do not try the spec on the whole export, which takes about as long as a build; gdsfd check then says "
        "what is wrong with it",
    )
    add_quiet_argument(parser)
    add_json_argument(parser)
    add_force_argument(parser, "a spec")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Looks, asks, writes."""
    check_out_file(arguments.out, (".toml",), arguments.force)
    if arguments.classes and (arguments.positive or arguments.negative):
        raise InputError("--classes goes without --positive and --negative")
    if arguments.negative and not arguments.positive:
        raise InputError("--negative goes with --positive")
    if arguments.hours is not None and not 0 <= arguments.hours <= 24 * 365 * 100:
        raise InputError(f"--hours {arguments.hours:g}: expected hours after the beginning, from 0 to 876,000")

    from gdsfd.first_spec.init_spec import init_spec, look_at

    with heartbeat("looking at the exports", arguments.quiet, line=True) as tell:
        look = look_at(arguments.exports, tell)
    outcome = arguments.outcome or _asked(look)  # nothing may write where somebody answers
    positive = arguments.positive or _asked_positive(look, outcome, arguments)
    with heartbeat("writing the spec", arguments.quiet, line=True) as tell:
        made = init_spec(
            look,
            outcome,
            out=arguments.out,
            positive=positive,
            negative=arguments.negative,
            classes=arguments.classes,
            id=arguments.id,
            cohort=arguments.cohort,
            hours=arguments.hours,
            untried=arguments.untried,
            on_part=tell,
        )
    left_out = {each.name: each.left_out for each in made.proposal.modalities if each.left_out is not None}
    tell_machine(
        arguments, spec=arguments.out, modalities=[each.name for each in made.proposal.taken], left_out=left_out
    )
    if not arguments.quiet:
        print(init_text(made, arguments.out))


def init_text(made: FirstSpec, out: Path) -> str:
    """What was proposed, a line per table, and what to do next.

    Args:
        made: The spec.
        out: Where it was written.
    """
    proposal, kept = made.proposal, {receipt.name: receipt for receipt in made.check.modalities}
    fields = proposal.cohort.fields
    lines = [
        f"cohort: {proposal.cohort.table}, id {fields['id']}"
        + (f", person {fields['subject']}" if fields["subject"] else "")
    ]
    if made.check.cohort is not None:
        lines[0] += f", {made.check.cohort.rows_kept:,} patients"
    meant = {name: proposal.outcome.fields[name] for name in ("positive", "classes") if name in proposal.outcome.fields}
    lines.append(f"outcome: {proposal.outcome.fields['name']}, " + ", ".join(f"{k} {v}" for k, v in meant.items()))
    for entry in proposal.taken:
        receipt = kept.get(entry.name)
        lines.append(
            f"  {entry.name}: {entry.fields['kind']}" + (f", {receipt.patients:,} patients" if receipt else "")
        )
    for entry in proposal.modalities:
        if entry.left_out is not None:
            lines.append(f"  {entry.name}: left out, {entry.left_out}")
    if proposal.unused:
        lines.append(f"nothing is taken of {shown(list(proposal.unused), 12)}; the end of the spec says why")
    doubts = list(dict.fromkeys(f"{each.where}: {each.text}" for each in made.check.warnings))
    lines += [f"warning: {each}" for each in doubts[:MOST_WARNINGS]]
    if len(doubts) > MOST_WARNINGS:
        lines.append(f"warnings: {len(doubts) - MOST_WARNINGS} more; gdsfd check {out} has them all")
    lines.append(f"spec: {out}. Every line of it is a guess: read it, then")
    lines.append(
        f"next: gdsfd build {out} --out graph" if made.check.cohort is not None else f"next: gdsfd check {out}"
    )
    return "\n".join(lines)


def _asked(look: Look) -> str:
    """The outcome, asked for where somebody can answer."""
    candidates = look.candidates
    if not _can_ask():
        could = f" It could be {shown(candidates, 8)}" if candidates else " No column looks like one"
        raise InputError(f"which column is predicted? Name it with --outcome COLUMN.{could}; see the tables for others")
    print("Which column is predicted?", file=sys.stderr)
    for number, name in enumerate(candidates, 1):
        print(f"  {number}  {name}", file=sys.stderr)
    answer = _answer("a number, or the name of another column: ")
    return candidates[int(answer) - 1] if answer.isdigit() and 0 < int(answer) <= len(candidates) else answer


def _asked_positive(look: Look, outcome: str, arguments: argparse.Namespace) -> list[str]:
    """The positive value, asked for where it is not plain and somebody can answer."""
    from gdsfd.first_spec.outcomes import find_outcome, label_values

    if arguments.classes or not _can_ask():
        return []
    table, column = find_outcome(look.tables, outcome)
    try:
        label_values(table, column, joined=arguments.cohort is not None)
    except InputError:
        values = list(table.facts[column].levels)
        print(f"Which values of {column} are positive?", file=sys.stderr)
        for number, value in enumerate(values, 1):
            print(f"  {number}  {value} ({table.facts[column].levels[value]:,})", file=sys.stderr)
        answer = _answer("numbers, with blanks between them: ")
        chosen = [int(word) for word in answer.split() if word.isdigit()]
        if not chosen or not all(0 < number <= len(values) for number in chosen):
            raise InputError(f"expected numbers from 1 to {len(values)}, got {answer!r}") from None
        return [values[number - 1] for number in chosen]
    return []


def _can_ask() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _answer(prompt: str) -> str:
    print(prompt, end="", file=sys.stderr, flush=True)
    answer = sys.stdin.readline().strip()
    if not answer:
        raise InputError("no answer; name the outcome with --outcome")
    return answer
