"""The command line. One file per sub-command; ``entry`` has the parser and the exit codes."""

from gdsfd.cli.entry import main

__all__ = ["main"]
