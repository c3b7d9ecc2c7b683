"""``gdsfd versions``: what is installed, for bug reports."""

from __future__ import annotations

import argparse

from gdsfd.cli.machine import add_json_argument, tell_machine

__all__ = ["add_parser", "run"]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    """Adds the sub-command."""
    parser = commands.add_parser(
        "versions", help="versions of everything a result may depend on", parents=[shared], allow_abbrev=False
    )
    add_json_argument(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Prints them."""
    from gdsfd.versions import show_versions, versions

    tell_machine(arguments, versions=versions())
    if not arguments.machine:
        show_versions()
