"""The directive ``spec-fields``: a table of a spec model's fields."""

from __future__ import annotations

import importlib

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from rst_table import list_table
from spec_models import MODULE, field_rows
from sphinx.application import Sphinx


class SpecFields(Directive):
    """``.. spec-fields:: TableSpec``"""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        model = getattr(importlib.import_module(MODULE), self.arguments[0])
        rows = [(f"``{name}``", *rest) for name, *rest in field_rows(model)]
        lines = list_table([("field", "type", "default", "meaning"), *rows], "14 18 14 54")
        container = nodes.container()

        # The page is Markdown, the docstrings are reStructuredText: parse these lines as such.
        self.state.nested_parse(StringList(lines, source=f"{MODULE}.{model.__name__}"), 0, container)
        return container.children


def setup(app: Sphinx) -> dict[str, bool]:
    """Registers the directive."""
    app.add_directive("spec-fields", SpecFields)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
