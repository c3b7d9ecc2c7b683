"""The section "What predictions are averaged over"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from gdsfd.cohort.schema import CohortSchema
from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.report.section import Paragraph, Section, SectionContext
from gdsfd.evaluation.report.strata.narrative import strata_narrative
from gdsfd.evaluation.report.strata.page import render_strata
from gdsfd.evaluation.report.strata.strata import Strata, judge_strata

__all__ = ["StrataSection"]


class StrataSection(Section[Strata]):
    """The strata that a model averages over, and what that does to its predictions."""

    name = "strata"
    title = "What predictions are averaged over"

    def judge(self, context: SectionContext) -> Strata | None:
        return judge_strata(context.model, context.graph, context.splits, context.config)

    def paragraphs(self, data: Strata, schema: CohortSchema, config: EvaluationConfig) -> Sequence[Paragraph]:
        return strata_narrative(data, schema, config.level)

    def render(self, data: Strata, schema: CohortSchema, config: EvaluationConfig) -> Markup:
        return render_strata(data, schema, config.level)

    def to_dict(self, data: Strata) -> dict[str, Any]:
        return {"strata": data.to_dict()}
