"""The parser of ``gdsfd`` and of each of its commands: one look of help, one look of errors."""

from __future__ import annotations

import argparse
import sys
from typing import Any, NoReturn

from gdsfd.cli.colour import RED, painted
from gdsfd.cli.help_text import HelpText
from gdsfd.errors import near_names

__all__ = ["CommandParser"]


class CommandParser(argparse.ArgumentParser):
    """As argparse's, but with examples in the help and a coloured error on a terminal.

    Options are never abbreviated: what ``--s`` means would change with the next option.
    """

    def __init__(self, **given: Any) -> None:
        super().__init__(**{"formatter_class": HelpText, "allow_abbrev": False, **given})

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Says which command may have been meant; argparse would list all of them."""
        if isinstance(action, argparse._SubParsersAction) and value not in action.choices:
            raise argparse.ArgumentError(action, f"there is no {value!r}.{near_names(str(value), action.choices)}")
        super()._check_value(action, value)

    def error(self, message: str) -> NoReturn:
        """Says what is wrong with the command line, and ends with code 2."""
        self.print_usage(sys.stderr)
        error = painted("error:", RED, sys.stderr)
        self.exit(2, f"{self.prog}: {error} {message}\n({self.prog} --help explains the arguments)\n")
