"""The section "In plain words": the whole report in a few paragraphs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gdsfd.cohort.schema import CohortSchema
from gdsfd.evaluation.assess import SplitResult
from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.population import JudgedPopulation
from gdsfd.evaluation.report.section import SECTIONS, Paragraph, Section, SectionContext
from gdsfd.evaluation.report.sections.summary.narrative import plain_summary

__all__ = ["Summary"]


@dataclass(frozen=True)
class Summarised:
    """What the summary is of: figures, what models are called, and whose patients the headline's are."""

    results: tuple[SplitResult, ...]
    labels: dict[str, str]
    population: JudgedPopulation | None


@SECTIONS.register("summary")
class Summary(Section[Summarised]):
    """Sentences that follow from figures and their intervals by fixed rules."""

    name = "summary"
    title = "In plain words"

    def judge(self, context: SectionContext) -> Summarised:
        return Summarised(context.results, dict(context.labels), next(iter(context.populations), None))

    def paragraphs(self, data: Summarised, schema: CohortSchema, config: EvaluationConfig) -> Sequence[Paragraph]:
        return plain_summary(list(data.results), data.labels, schema, config, data.population)
