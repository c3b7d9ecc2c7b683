"""Directives of the page on deconfounding: fits as tables, sentences and pictures, and how they were made."""

from __future__ import annotations

from pathlib import Path

import deconfounding_arms
import deconfounding_fits
import deconfounding_lines
import deconfounding_plot
from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from sphinx.application import Sphinx

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"
SHIFT, ABLATIONS = RESULTS / "missingness_shift.jsonl", RESULTS / "deconfounding_ablations.jsonl"
_MODULES = (deconfounding_arms, deconfounding_fits, deconfounding_lines, deconfounding_plot)


class DeconfoundingResults(Directive):
    """``.. deconfounding-results:: missingness_shift``"""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        file = RESULTS / f"{self.arguments[0]}.jsonl"
        _depends_on(self, [file])
        if not deconfounding_fits.read_lines([file]):
            raise self.error(f"deconfounding-results: there is no fit in benchmarks/results/{file.name}")
        return _parsed(self, deconfounding_lines.PAGES[self.arguments[0]](file))


class DeconfoundingAblation(Directive):
    """``.. deconfounding-ablation:: clusters``; arms of the study of missingness shift are shown beside the others."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        name, files = self.arguments[0], [SHIFT, ABLATIONS]
        _depends_on(self, files)
        studies = deconfounding_fits.read_studies(files)
        figure = deconfounding_plot.plot_ablation(studies, name)
        if figure is None:
            raise self.error(f"deconfounding-ablation: no fit says anything of {name}")
        label = f"AUROC minus ERM by {' and '.join(deconfounding_arms.ABLATIONS[name])}".replace("_", " ")
        picture = f'<div class="ablation-plot">{deconfounding_plot.svg_of(figure, label)}</div>'
        return [nodes.raw("", picture, format="html"), *_parsed(self, deconfounding_lines.ablation(name, files))]


class DeconfoundingFits(Directive):
    """``.. deconfounding-fits::``"""

    def run(self) -> list[nodes.Node]:
        _depends_on(self, [SHIFT, ABLATIONS])
        return _parsed(self, deconfounding_lines.fits_made([SHIFT, ABLATIONS]))


def _depends_on(directive: Directive, files: list[Path]) -> None:
    # A file that is not there counts as changed: the page is then read again at every build.
    for source in [*files, *(Path(str(module.__file__)) for module in _MODULES)]:
        directive.state.document.settings.env.note_dependency(str(source))


def _parsed(directive: Directive, text: list[str]) -> list[nodes.Node]:
    container = nodes.container()
    directive.state.nested_parse(StringList("\n".join(text).split("\n"), source="benchmarks"), 0, container)
    return container.children


def setup(app: Sphinx) -> dict[str, bool]:
    """Registers the directives."""
    app.add_directive("deconfounding-results", DeconfoundingResults)
    app.add_directive("deconfounding-ablation", DeconfoundingAblation)
    app.add_directive("deconfounding-fits", DeconfoundingFits)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
