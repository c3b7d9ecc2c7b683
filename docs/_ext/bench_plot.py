"""The directive ``bench-plot``: curves over one size, drawn from the lines of results at every build."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import result_lines
from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

from gdsfd.bench.plot import plot_sweep

FILE = Path(__file__).parents[2] / "benchmarks" / "results" / "message_passing.jsonl"
#: Size along the axis -> what the other sizes have to be.
FIXED: dict[str, dict[str, Any]] = {
    "patients": {"modalities": 5, "density": 0.6, "channels": 128, "layers": 2},
    "modalities": {"patients": 2000, "density": 0.5, "channels": 128, "layers": 2},
    "density": {"patients": 2000, "modalities": 64, "channels": 128, "layers": 2},
    "channels": {"patients": 20_000, "modalities": 5, "density": 0.6, "layers": 2},
}
SHOWN = ("plain pyg", "auto", "segment", "dense", "bare products")


def chosen_lines(lines: list[dict[str, Any]], size: str) -> list[dict[str, Any]]:
    """The newest encoder lines of each contestant and value of ``size``, the other sizes being as in :data:`FIXED`."""
    fitting = [
        line
        for line in lines
        if line["part"] == "encoder"
        and line["device"] == "cpu"
        and line["dtype"] == "float32"
        and line["contestant"] in SHOWN
        and all(line["shape"][key] == value for key, value in FIXED[size].items())
    ]
    found = result_lines.newest(fitting, lambda line: (line["mode"], line["contestant"], line["shape"][size]))
    return sorted(found.values(), key=lambda line: SHOWN.index(line["contestant"]))


class BenchPlot(Directive):
    """``.. bench-plot:: patients``"""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        size = self.arguments[0]
        self.state.document.settings.env.note_dependency(str(FILE))
        lines = chosen_lines(result_lines.read_lines(FILE) or [], size)
        if len({line["shape"][size] for line in lines}) < 2:
            raise self.error(f"bench-plot: too few lines over {size} in benchmarks/results/{FILE.name}")
        picture = io.StringIO()
        plot_sweep(lines, size).savefig(picture, format="svg", bbox_inches="tight")
        svg = picture.getvalue()
        svg = svg[svg.index("<svg") :].replace("<svg", '<svg role="img" style="max-width: 100%; height: auto"', 1)
        return [nodes.raw("", f'<div class="bench-plot">{svg}</div>', format="html")]


def setup(app: Sphinx) -> dict[str, bool]:
    """Registers the directive."""
    app.add_directive("bench-plot", BenchPlot)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
