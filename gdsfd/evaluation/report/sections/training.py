"""The section "How the models were trained": what each says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gdsfd.cohort.schema import CohortSchema
from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.report.section import SECTIONS, Section, SectionContext

__all__ = ["TrainingSection", "flat_description"]

Described = list[tuple[str, Mapping[str, Any]]]


@SECTIONS.register("training")
class TrainingSection(Section[Described]):
    """The model judged, then those of the others that describe themselves."""

    name = "training"
    title = "How the models were trained"
    template = "training.html"

    def judge(self, context: SectionContext) -> Described:
        judged, *others = context.labels
        shown = [judged, *(name for name in others if context.descriptions.get(name))]
        return [(context.labels[name], context.descriptions.get(name, {})) for name in shown]

    def fill(self, data: Described, schema: CohortSchema, config: EvaluationConfig) -> dict[str, Any]:
        return {"models": [(label, flat_description(described)) for label, described in data]}


def flat_description(described: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """A nested description as name -> text.

    Example:
        >>> flat_description({"name": "boosting", "best_epoch": 3, "config": {"rate": 0.10}, "size": {"of": [1, 2]}})
        {'best epoch': '3', 'rate': '0.1', 'size: of': '1, 2'}
    """
    flat: dict[str, str] = {}
    for key, value in described.items():
        if key == "name":  # stands above the list already
            continue
        name = f"{prefix}{key}".replace("_", " ")
        if isinstance(value, Mapping):
            flat |= flat_description(value, "" if key == "config" else f"{name}: ")
        elif isinstance(value, (list, tuple)):
            flat[name] = ", ".join(map(str, value)) or "none"
        elif value is not None:
            flat[name] = f"{value:g}" if isinstance(value, float) else str(value)
    return flat
