"""Reads the arguments, runs the sub-command and turns what happened into an exit code.

0: done. 1: failed. 2: the user's input is wrong, and nothing was written. 128 + n: ended by signal n (130: Ctrl-C).
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Sequence
from contextlib import suppress
from typing import TextIO

from gdsfd._version import __version__
from gdsfd.cli import (
    bench,
    build,
    check,
    compare,
    demo,
    evaluate,
    explain,
    init,
    learners,
    predict,
    simulate,
    study,
    train,
    versions,
)
from gdsfd.cli.colour import RED, YELLOW, painted
from gdsfd.cli.command_parser import CommandParser
from gdsfd.cli.machine import answer
from gdsfd.cli.progress import WIPE
from gdsfd.cli.signals import orderly_end
from gdsfd.errors import GdsfdError, InputError, cut_text
from gdsfd.plugins import load_plugins

__all__ = ["DONE", "FAILED", "INTERRUPTED", "WRONG_INPUT", "main", "make_parser"]

#: No message needs more; one that has more prints somebody's data.
_MESSAGE_CHARACTERS = 8_000

DONE, FAILED, WRONG_INPUT, INTERRUPTED = 0, 1, 2, 130

DESCRIPTION = """\
From tabular clinical exports to a patient-modality graph, to predictors, to an honest report.

Begin here; it makes a cohort of its own and ends with a page to open, demo/report/report.html:
  gdsfd demo --out demo

Then your own exports, one step after the other:
  gdsfd init exports/ --outcome died --out spec.toml  # a first spec
  gdsfd check spec.toml                               # what is wrong with it
  gdsfd build spec.toml --out graph                   # exports to graph
  gdsfd train graph --out run                         # graph to model
  gdsfd evaluate run graph --out report               # report.html: how good?
  gdsfd predict run graph --split test --out p.csv    # a probability each
  gdsfd explain run graph --split test --out why      # what moved a score

Questions about a cohort:
  gdsfd compare graph --out compared   # does debiasing help here?
  gdsfd study spec.toml --out study    # does fusion help, which, how fair?
"""

EPILOG = "gdsfd COMMAND --help says more of a command, with examples. docs/ in the sources explains words and figures."


def make_parser() -> argparse.ArgumentParser:
    """The parser of all sub-commands. Imports nothing heavy, so that ``gdsfd --help`` answers at once."""
    parser = CommandParser(prog="gdsfd", description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("--version", action="version", version=f"gdsfd {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands", required=True)
    _add_shared(parser, "plugins_before")
    shared = argparse.ArgumentParser(add_help=False)
    _add_shared(shared, "plugins")
    for module in (
        init,
        check,
        build,
        train,
        predict,
        evaluate,
        explain,
        compare,
        study,
        simulate,
        demo,
        learners,
        bench,
        versions,
    ):
        module.add_parser(commands, shared)
    return parser


def _add_shared(parser: argparse.ArgumentParser, plugins: str) -> None:
    """Adds flags of the main parser and of all commands; they may stand before or after a command's name.

    Args:
        parser: The main one, or the one that sub-commands inherit from.
        plugins: Where plug-ins are kept; a sub-command's own would replace those named before it.
    """
    shared = parser.add_argument_group("options of every command")
    shared.add_argument(
        "--traceback",
        action="store_true",
        default=argparse.SUPPRESS,
        help="on an error show where in the code it happened",
    )
    shared.add_argument(
        "--plugin",
        dest=plugins,
        action="append",
        metavar="MODULE",
        default=[],
        help="import this module (or .py file) first, for parts of your own: a backbone, a kind of modality, a metric; "
        "may be repeated",
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        argv: The arguments; default: those of the process.

    Returns:
        The exit code. Nothing is raised: errors become one message on stderr.
    """
    try:
        arguments = make_parser().parse_args(argv)
    except SystemExit as stop:  # argparse has said what is wrong (2), or has printed the help (0)
        return stop.code if isinstance(stop.code, int) else DONE
    # Threads that wait by spinning slow everything down many times over as soon as another process wants a core;
    # asleep they cost a wake-up per operation, up to half of a small training step on an idle machine. Benchmarks want
    # an idle one, everything else takes the safe way. Heavy packages are imported by the commands, so this is early
    # enough; the user's own choice stands.
    if arguments.command != "bench":
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    with_traceback, machine = getattr(arguments, "traceback", False), getattr(arguments, "machine", False)
    if machine:
        arguments.quiet = True  # no words beside the object
    with orderly_end() as ended:
        try:
            with warnings.catch_warnings():
                warnings.showwarning = _show_warning
                load_plugins([*arguments.plugins_before, *arguments.plugins])
                arguments.run(arguments)
                if machine:
                    print(answer(arguments, DONE))
                # A reader that stopped early (`gdsfd build ... | head`) shows up here at the latest.
                sys.stdout.flush()
        except (Exception, KeyboardInterrupt) as error:
            # Libraries turn an interruption into errors of their own, so the signal is asked first.
            if ended.number is not None or isinstance(error, KeyboardInterrupt):
                number = ended.number or signal.SIGINT
                if machine:
                    _print_answer(arguments, 128 + number, "interrupted")
                return _interrupted(arguments.command, number)
            if isinstance(error, BrokenPipeError):
                # The work is done; only its account was not read. Python would complain once more while closing stdout.
                sys.stdout = open("/dev/null", "w")  # noqa: SIM115
                return DONE
            code = WRONG_INPUT if isinstance(error, InputError) else FAILED
            if machine:
                _print_answer(arguments, code, _message(error))
            return _stop(arguments.command, error, with_traceback, code)
    return DONE


def _print_answer(arguments: argparse.Namespace, code: int, error: str) -> None:
    with suppress(OSError):  # nobody reads any more
        print(answer(arguments, code, error), flush=True)


def _message(error: Exception) -> str:
    text = str(error) if isinstance(error, GdsfdError) else f"{type(error).__name__}: {error}"
    return cut_text(text, _MESSAGE_CHARACTERS)


def _interrupted(command: str, number: int) -> int:
    by = "" if number == signal.SIGINT else f" by {signal.Signals(number).name}"
    with suppress(OSError):  # a hang-up may have taken the terminal away
        print(f"gdsfd {command}: interrupted{by}", file=sys.stderr)
    return 128 + number


def _stop(command: str, error: Exception, with_traceback: bool, code: int) -> int:
    if with_traceback:
        traceback.print_exception(error)
    print(f"gdsfd {command}: {painted('error:', RED, sys.stderr)} {_message(error)}", file=sys.stderr)
    if code == FAILED and not with_traceback:
        print("(--traceback shows where in the code)", file=sys.stderr)
    return code


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """One line per warning, without the source line that Python adds."""
    # Libraries make deprecations UserWarnings, too (pyparsing's are); they are for whoever calls them, not for users.
    if issubclass(category, UserWarning) and not issubclass(category, DeprecationWarning):
        over = WIPE if sys.stderr.isatty() else ""  # a line of progress may stand there
        print(f"{over}{painted('warning:', YELLOW, sys.stderr)} {message}", file=sys.stderr)
