"""The report as one self-contained page: its sections, one below the other, in ``report.html`` (a jinja2 template)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gdsfd._version import __version__
from gdsfd.cohort.schema import CohortSchema
from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.report.page_templates import template
from gdsfd.evaluation.report.section import sections_of_page

__all__ = ["render"]


def render(found: Mapping[str, Any], title: str, schema: CohortSchema, config: EvaluationConfig) -> str:
    """The page.

    Args:
        found: Section -> what it found.
        title: Of the window.
        schema: The graph's schema.
        config: How figures were made.

    Returns:
        HTML without any reference to another file or site.
    """
    sections = [
        section.render(found[name], schema, config) for name, section in sections_of_page().items() if name in found
    ]
    return template("report.html").render(title=title, sections=sections, version=__version__)
