"""The section "How the figures were made"."""

from __future__ import annotations

from typing import Any

from gdsfd.cohort.schema import CohortSchema
from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.population import JudgedPopulation
from gdsfd.evaluation.report.section import SECTIONS, Section, SectionContext
from gdsfd.evaluation.targets import task_of

__all__ = ["MethodSection"]


@SECTIONS.register("method")
class MethodSection(Section[tuple[JudgedPopulation, ...]]):
    """What intervals, figures and slices mean; it depends on whose patients are judged."""

    name = "method"
    title = "How the figures were made"
    template = "method.html"

    def judge(self, context: SectionContext) -> tuple[JudgedPopulation, ...]:
        return context.populations

    def fill(
        self, data: tuple[JudgedPopulation, ...], schema: CohortSchema, config: EvaluationConfig
    ) -> dict[str, Any]:
        external = any(one.kind == "new" for one in data)
        return {"rules": config, "task": task_of(schema), "external": external}
