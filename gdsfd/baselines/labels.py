"""Labels as yes/no targets: what baselines, thresholds and figures are all worked out from.

A binary outcome is one target, several outcomes are one target each, and a multi-class outcome is one target per class
(that class against the rest).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.schema import CohortSchema

__all__ = ["Floats", "labels_of", "target_names", "task_of", "why_undefined"]

Floats = NDArray[np.float64]


def task_of(schema: CohortSchema) -> str:
    """``binary``, ``multi-class`` or ``multi-label``."""
    if schema.multiclass:
        return "multi-class"
    return "binary" if len(schema.outcomes) == 1 else "multi-label"


def target_names(schema: CohortSchema) -> tuple[str, ...]:
    """The targets' names, in the order of a model's columns (a binary outcome has one target)."""
    if schema.multiclass:
        return tuple(f"{schema.outcomes[0].name}: {label}" for label in schema.outcomes[0].classes)
    return tuple(outcome.name for outcome in schema.outcomes)


def labels_of(graph: Any, rows: NDArray[np.int64]) -> Floats:
    """Labels as one column per target, NaN = unlabelled; [m, targets]."""
    y = graph["patient"].y.numpy()[rows]
    schema: CohortSchema = graph.schema
    if not schema.multiclass:
        return np.asarray(y, dtype=np.float64).reshape(len(rows), len(schema.outcomes))
    classes = np.arange(len(schema.outcomes[0].classes))
    return np.where(y[:, None] < 0, np.nan, (y[:, None] == classes).astype(np.float64))


def why_undefined(y: Floats, min_patients: int = 1, min_per_class: int = 1) -> str:
    """Why a ranking figure (AUROC, AUPRC) of these rows is not given; empty when it is.

    Args:
        y: Labels, 0 or 1; [n].
        min_patients: The fewest labelled patients for which a figure is given.
        min_per_class: The fewest positives, and the fewest negatives.
    """
    if len(y) == 0:
        return "no labelled patient"
    if len(y) < min_patients:
        return f"only {len(y)} labelled patient{'s' if len(y) > 1 else ''} (fewer than {min_patients})"
    positives = int(y.sum())
    negatives = len(y) - positives
    for count, word in ((positives, "positive"), (negatives, "negative")):
        if count == 0:
            return f"no {word} patient"
        if count < min_per_class:
            return f"only {count} {word} patient{'s' if count > 1 else ''} (fewer than {min_per_class})"
    return ""
