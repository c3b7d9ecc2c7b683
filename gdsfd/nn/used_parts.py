"""The named parts that a model uses, which its file says it needs."""

from __future__ import annotations

from gdsfd.cohort.schema import CohortSchema
from gdsfd.nn.streams.config import StreamConfig
from gdsfd.registry import REGISTRIES

__all__ = ["used_parts"]


def used_parts(
    backbone: str, streams: StreamConfig | None, schema: CohortSchema, training: bool = False
) -> list[tuple[str, str]]:
    """Every named part of a model.

    Args:
        backbone: Name of the backbone.
        streams: The parts of the debiasing mode; None = ERM.
        schema: The cohort's fitted description.
        training: Whether to name what only training needs, too: the measure of dependence, the objective.

    Returns:
        What a part is (as its registry is called) and its name, as :func:`gdsfd.plugins.plugin_needs` takes them.
    """
    kinds = dict.fromkeys(modality.kind for modality in schema.modalities)
    found: list[tuple[str, str]] = [
        (what, kind) for kind in kinds for what in ("modality kind", "encoder") if what in REGISTRIES
    ]
    found.append(("backbone", backbone))
    if streams is None:
        return found
    found.append(("loss weight", streams.weight))
    if training and streams.has_objective:
        found.append(("objective", streams.objective))
    if not streams.streams:
        return found
    found.append(("mask", streams.mask))
    if streams.adjusts:
        found.append(("adjustment", streams.adjusts_by))
    if training and streams.information != "none":
        found.append(("dependence measure", streams.information))
    return found
