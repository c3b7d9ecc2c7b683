"""``gdsfd versions``: what is installed, for bug reports."""

from __future__ import annotations

import argparse

from gdsfd.cli.help_text import examples
from gdsfd.cli.machine import add_json_argument, tell_machine

__all__ = ["add_parser", "run"]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    """Adds the sub-command."""
    parser = commands.add_parser(
        "versions",
        help="versions of everything a result may depend on",
        description="Prints which versions of gdsfd, Python and the libraries are installed, and "
        "which machine this is: "
        "what a bug report or a paper should say.",
        epilog=examples("gdsfd versions"),
        parents=[shared],
    )
    add_json_argument(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Prints them."""
    from gdsfd.versions import show_versions, versions

    tell_machine(arguments, versions=versions())
    if not arguments.machine:
        show_versions()
