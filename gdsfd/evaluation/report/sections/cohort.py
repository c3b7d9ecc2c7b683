"""The section "The cohort": the receipt of what was read, kept and left out."""

from __future__ import annotations

from typing import Any

from gdsfd.cohort.schema import CohortSchema
from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.report.section import SECTIONS, Section, SectionContext

__all__ = ["CohortSection"]


@SECTIONS.register("cohort")
class CohortSection(Section[dict[str, Any]]):
    """Sources, splits, warnings and notes; nothing for a graph without a receipt."""

    name = "cohort"
    title = "The cohort: what was read, and what was left out"
    template = "cohort.html"

    def judge(self, context: SectionContext) -> dict[str, Any] | None:
        receipt = context.graph.receipt if "receipt" in context.graph else None
        return None if receipt is None else dict(receipt.to_dict())

    def fill(self, data: dict[str, Any], schema: CohortSchema, config: EvaluationConfig) -> dict[str, Any]:
        return {"receipt": data, "split_rows": data["tables"].get("splits", [])}
