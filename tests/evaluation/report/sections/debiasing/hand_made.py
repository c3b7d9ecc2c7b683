"""A schema, and the sentences of a finding."""

from __future__ import annotations

from gdsfd.cohort.schema import CohortSchema, OutcomeFields
from gdsfd.evaluation.report.sections.debiasing.debiasing import Debiasing
from gdsfd.evaluation.report.sections.debiasing.narrative import debiasing_narrative

SCHEMA = CohortSchema((), (OutcomeFields("died_early", "d", ("no", "yes")),), ("sex",), "site")


def said(found: Debiasing) -> dict[str, str]:
    return {paragraph.lead: paragraph.text for paragraph in debiasing_narrative(found, SCHEMA, 0.95)}
