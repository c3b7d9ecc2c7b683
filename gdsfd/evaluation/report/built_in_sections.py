"""The built-in sections, in the order of the page."""

from __future__ import annotations

from gdsfd.evaluation.report.debiasing.section import DebiasingSection
from gdsfd.evaluation.report.recalibrated import RecalibratedSection
from gdsfd.evaluation.report.section import SECTIONS
from gdsfd.evaluation.report.strata.section import StrataSection
from gdsfd.evaluation.report.summary import Summary

__all__: list[str] = []

for _section in (Summary, RecalibratedSection, DebiasingSection, StrataSection):
    SECTIONS.register(_section.name)(_section)
