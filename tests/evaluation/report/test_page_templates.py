"""Templates escape what they are given, know how figures are written, and leave nothing out silently."""

from __future__ import annotations

import pytest
from jinja2 import UndefinedError

from gdsfd.evaluation.report.page_templates import template
from gdsfd.evaluation.report.section import Paragraph


def test_text_is_escaped():
    page = template("section.html").render(title="<a>", words=[Paragraph("b & c", '<img src="x">')])
    assert "<h2>&lt;a&gt;</h2>" in page
    assert "<dt>b &amp; c</dt><dd>&lt;img src=&#34;x&#34;&gt;</dd>" in page


def test_what_is_missing_is_an_error_and_not_an_empty_place():
    with pytest.raises(UndefinedError, match="'words' is undefined"):
        template("section.html").render(title="a")


def test_figures_are_written_as_everywhere():
    own = template("section.html").environment.from_string(
        "{{ 0.25|percent(0) }} {{ -0.5|number }} {{ 12345|thousands }} {{ 1|count('patient') }}"
    )
    assert own.render() == "25\xa0% −0.500 12,345 1 patient"
