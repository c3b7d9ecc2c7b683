"""The directive ``spec-fields``: a table of a spec model's fields."""

from __future__ import annotations

import importlib

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from spec_models import MODULE, field_rows
from sphinx.application import Sphinx


class SpecFields(Directive):
    """``.. spec-fields:: TableSpec``"""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        model = getattr(importlib.import_module(MODULE), self.arguments[0])
        lines = [".. list-table::", "   :header-rows: 1", "   :widths: 14 18 14 54", ""]
        for row in [("field", "type", "default", "meaning"), *field_rows(model)]:
            cells = [f"``{row[0]}``" if row[0] != "field" else row[0], *row[1:]]
            lines += [f"   {'* -' if number == 0 else '  -'} {cell}" for number, cell in enumerate(cells)]
        container = nodes.container()

        # The page is Markdown, the docstrings are reStructuredText: parse these lines as such.
        self.state.nested_parse(StringList(lines, source=f"{MODULE}.{model.__name__}"), 0, container)
        return container.children


def setup(app: Sphinx) -> dict[str, bool]:
    """Registers the directive."""
    app.add_directive("spec-fields", SpecFields)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
