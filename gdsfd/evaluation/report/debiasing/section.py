"""The section "Did debiasing help?"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from gdsfd.cohort.schema import CohortSchema
from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.report.debiasing.debiasing import Debiasing, judge_debiasing
from gdsfd.evaluation.report.debiasing.narrative import debiasing_narrative
from gdsfd.evaluation.report.debiasing.page import render_debiasing
from gdsfd.evaluation.report.section import Paragraph, Section, SectionContext

__all__ = ["DebiasingSection"]


class DebiasingSection(Section[Debiasing]):
    """Both networks of a debiased model on the same patients, and what its codes know."""

    name = "debiasing"
    title = "Did debiasing help?"

    def judge(self, context: SectionContext) -> Debiasing | None:
        return judge_debiasing(
            context.model, context.graph, context.splits, context.config, context.truth, context.probes
        )

    def paragraphs(self, data: Debiasing, schema: CohortSchema, config: EvaluationConfig) -> Sequence[Paragraph]:
        return debiasing_narrative(data, schema, config.level)

    def render(self, data: Debiasing, schema: CohortSchema, config: EvaluationConfig) -> Markup:
        return render_debiasing(data, schema, config.level)

    def to_dict(self, data: Debiasing) -> dict[str, Any]:
        return {"debiasing": data.to_dict()}
