"""The jinja2 templates of the report."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template

from gdsfd.evaluation.report.numbers import count, interval, number, percent

__all__ = ["template"]


@cache
def _environment() -> Environment:
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=FunctionLoader(lambda name: _folder().joinpath(name).read_text(encoding="utf-8")),
    )
    environment.filters |= {"number": number, "percent": percent, "interval": interval, "count": count}
    environment.filters["thousands"] = "{:,}".format
    return environment


def _folder() -> Traversable:
    return files("gdsfd.evaluation.report").joinpath("templates")


def template(name: str) -> Template:
    """A template of the folder ``templates``, with the report's ways of writing figures as filters.

    Args:
        name: Its file's name.
    """
    return _environment().get_template(name)
