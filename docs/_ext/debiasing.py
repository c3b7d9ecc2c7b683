"""The directive ``debiasing-results``: a file of fits as tables and sentences, anew whenever the file changes."""

from __future__ import annotations

from pathlib import Path

import debiasing_lines
import rival_lines
from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from sphinx.application import Sphinx

from gdsfd.comparison.fit_log import read_fits

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"
PAGES = {**debiasing_lines.PAGES, "rivals_first_look": rival_lines.rivals}


class DebiasingResults(Directive):
    """``.. debiasing-results:: compare_simulated``"""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        file = RESULTS / f"{name}.jsonl"
        for source in (file, Path(debiasing_lines.__file__), Path(rival_lines.__file__)):
            self.state.document.settings.env.note_dependency(str(source))
        if not read_fits(file):
            raise self.error(f"debiasing-results: there is no fit in benchmarks/results/{file.name}")
        text = PAGES[name](file)
        container = nodes.container()
        self.state.nested_parse(StringList("\n".join(text).split("\n"), source=file.name), 0, container)
        return container.children


def setup(app: Sphinx) -> dict[str, bool]:
    """Registers the directive."""
    app.add_directive("debiasing-results", DebiasingResults)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
