"""The directive ``learners``: the learners' tables, made from their classes at every build."""

from __future__ import annotations

import inspect

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from learner_rows import HEADER, PLACES, STEPS, place_rows, what_rows
from rst_table import list_table
from sphinx.application import Sphinx

from gdsfd.nn.backbones.registry import BACKBONES


class Learners(Directive):
    """``.. learners:: what`` or ``.. learners:: places``"""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        for name in BACKBONES.names():
            self.state.document.settings.env.note_dependency(inspect.getfile(BACKBONES.find(name)))
        self.state.document.settings.env.note_dependency(str(STEPS))
        if self.arguments[0] == "what":
            lines = list_table([HEADER, *what_rows()], "10 30 20 22 18")
        else:
            lines = list_table([PLACES, *place_rows()])
        container = nodes.container()
        self.state.nested_parse(StringList(lines, source="learners"), 0, container)
        return container.children


def setup(app: Sphinx) -> dict[str, bool]:
    """Registers the directive."""
    app.add_directive("learners", Learners)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
