"""Outcomes of all kinds as yes/no targets.

A binary outcome is one target, several outcomes are one target each, and a multi-class outcome is one target per class
(that class against the rest). Everything after this module deals with targets only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdsfd.baselines.labels import labels_of, target_names, task_of
from gdsfd.cohort.schema import CohortSchema
from gdsfd.errors import InputError, near_names, shown
from gdsfd.evaluation.metrics.formulas import Floats, check_probabilities

__all__ = ["Target", "labels_of", "rows_of_split", "target_names", "targets_of", "task_of"]


@dataclass(frozen=True)
class Target:
    """One yes/no question about the patients of a split.

    Args:
        name: The outcome's name; for a multi-class outcome ``"<outcome>: <class>"``.
        rows: The labelled patients, as rows of the split, ascending; [m].
        y: Their labels, 0 or 1; [m].
        p: Their probabilities; [m].
    """

    name: str
    rows: NDArray[np.int64]
    y: Floats
    p: Floats

    def among(self, mask: NDArray[np.bool_]) -> Target:
        """The target for some patients only.

        Args:
            mask: Over the rows of the split.
        """
        kept = mask[self.rows]
        return Target(self.name, self.rows[kept], self.y[kept], self.p[kept])


def rows_of_split(graph: Any, split: str) -> NDArray[np.int64]:
    """Rows of a split's patients, in the order of the graph.

    Raises:
        InputError: No patient is in that split.
    """
    names = np.asarray(graph["patient"].split, dtype=str)
    rows = np.flatnonzero(names == split)
    if not len(rows):
        raise InputError(f"no patient is in the split {split!r}.{near_names(split, set(names.tolist()))}")
    return rows


def targets_of(
    graph: Any, rows: NDArray[np.int64], probabilities: NDArray[np.floating], where: str = "model"
) -> list[Target]:
    """What a model said, target by target, unlabelled patients left out.

    Args:
        graph: The graph.
        rows: Rows of the graph's patients.
        probabilities: The model's answer for them as in ``predict_proba``: two columns for a binary outcome, one per
            class or one per outcome otherwise; [m, columns].
        where: Which model and split, for messages.

    Raises:
        InputError: The answer has another shape or holds no probabilities.
    """
    schema: CohortSchema = graph.schema
    names = target_names(schema)
    columns = 2 if task_of(schema) == "binary" else len(names)
    given = np.asarray(probabilities)
    if given.shape != (len(rows), columns):
        raise InputError(
            f"{where}: expected probabilities of shape ({len(rows)}, {columns}) (one row per patient, one column per "
            f"{'class' if task_of(schema) != 'multi-label' else 'outcome'}), got {given.shape}"
        )
    p = check_probabilities(given, where)
    if task_of(schema) != "multi-label":
        off = np.flatnonzero(np.abs(p.sum(1) - 1) > 1e-3)
        if len(off):
            ids = [graph["patient"].id[rows[row]] for row in off]
            raise InputError(
                f"{where}: the probabilities of a patient's classes must add up to 1; they do not for {len(off)} "
                f"patients (ids {shown(ids)}; sums {shown(np.round(p.sum(1)[off], 4).tolist())})"
            )
    if columns == 2 and len(names) == 1:
        p = p[:, 1:]
    labels = labels_of(graph, rows)
    result = []
    for column, name in enumerate(names):
        labelled = np.flatnonzero(np.isfinite(labels[:, column]))
        result.append(Target(name, labelled, labels[labelled, column], p[labelled, column]))
    return result
