"""The jinja2 templates of the report."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template

from gdsfd.evaluation.report.numbers import count, interval, number, percent

__all__ = ["template"]


@cache
def template(name: str) -> Template:
    """A template of the folder ``templates``, with the report's ways of writing figures as filters.

    Args:
        name: Its file's name.
    """
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"number": number, "percent": percent, "interval": interval, "count": count}
    environment.filters["thousands"] = "{:,}".format
    text = files("gdsfd.evaluation.report").joinpath("templates", name).read_text(encoding="utf-8")
    return environment.from_string(text)
