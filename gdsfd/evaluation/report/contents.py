"""What a report holds: figures, labels, descriptions, and what each section found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gdsfd.evaluation.assess import SplitResult
from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.population import JudgedPopulation
from gdsfd.evaluation.report.fixed_settings import FixedSetting

__all__ = ["ReportContents"]


@dataclass
class ReportContents:
    """How well a model does, with intervals, against baselines and for whom.

    Args:
        metrics: Every figure as a nested dict. On top the headline figures of the first split (``metrics["auroc"]``),
            below ``metrics["splits"]`` all of them, each ``{"value", "low", "high", "reason"}``. NaN with a reason
            where a figure cannot be given.
        results: The same as objects, one per split.
        labels: Model -> what tables call it (``metrics`` always says ``model`` for the one judged).
        schema: The graph's schema.
        rules: How figures were made.
        receipt: The graph's receipt as a dict, or None.
        training: What the model says of its own training, or None.
        baselines: What each baseline says of its own.
        presence: The presence picture, an SVG text, or None.
        populations: Whose patients were judged, split by split.
        fixed: What was fixed where before they were looked at.
        sections: Section -> what it found; those with nothing to say of this model are left out.
    """

    metrics: dict[str, Any]
    results: list[SplitResult]
    labels: dict[str, str]
    schema: Any
    rules: EvaluationConfig
    receipt: dict[str, Any] | None = None
    training: dict[str, Any] | None = None
    baselines: dict[str, dict[str, Any]] = field(default_factory=dict)
    presence: str | None = None
    populations: list[JudgedPopulation] = field(default_factory=list)
    fixed: list[FixedSetting] = field(default_factory=list)
    sections: dict[str, Any] = field(default_factory=dict)
