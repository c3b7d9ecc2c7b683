"""The directive ``command-help``: what ``gdsfd COMMAND --help`` prints, taken from the parser itself."""

from __future__ import annotations

import argparse
import os

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

from gdsfd.cli.entry import make_parser


class CommandHelp(Directive):
    """``.. command-help:: build``, or ``bench message-passing`` for a command within a command."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        os.environ["COLUMNS"] = "84"  # argparse wraps to the terminal's width
        parser = make_parser()
        for word in self.arguments[0].split():
            (commands,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
            parser = commands.choices[word]
        text = parser.format_help()
        return [nodes.literal_block(text, text, language="text")]


def setup(app: Sphinx) -> dict[str, bool]:
    """Registers the directive."""
    app.add_directive("command-help", CommandHelp)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
