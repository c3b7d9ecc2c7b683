"""The directives ``train-settings`` and ``train-sizes``: what ``TrainConfig`` takes, and what it chooses by itself."""

from __future__ import annotations

import inspect

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from rst_table import list_table
from setting_rows import SIZES, setting_rows, size_rows
from sphinx.application import Sphinx

from gdsfd.training.config import TrainConfig


class _Generated(Directive):
    """A table that is made anew when the configuration's module changes."""

    def lines(self) -> list[str]:
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        self.state.document.settings.env.note_dependency(inspect.getfile(TrainConfig))
        container = nodes.container()
        self.state.nested_parse(StringList(self.lines(), source="TrainConfig"), 0, container)
        return container.children


class TrainSettings(_Generated):
    """``.. train-settings::``"""

    def lines(self) -> list[str]:
        return list_table([("setting", "default", "meaning"), *setting_rows()], "20 16 64")


class TrainSizes(_Generated):
    """``.. train-sizes::``"""

    def lines(self) -> list[str]:
        header = ("training patients", *(f"{size:,}" for size in SIZES))
        return list_table([header, *size_rows()], "28" + " 12" * len(SIZES))


def setup(app: Sphinx) -> dict[str, bool]:
    """Registers the directives."""
    app.add_directive("train-settings", TrainSettings)
    app.add_directive("train-sizes", TrainSizes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
