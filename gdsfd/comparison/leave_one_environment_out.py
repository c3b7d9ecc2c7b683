"""Leaving one environment out: a graph whose test split is that environment."""

from __future__ import annotations

import copy

import numpy as np
from numpy.typing import NDArray
from torch_geometric.data import HeteroData

from gdsfd.baselines.labels import labels_of
from gdsfd.cohort.patients.split import assign_split
from gdsfd.cohort.spec import CohortSpec, SplitSpec
from gdsfd.comparison.scores import any_label
from gdsfd.errors import InputError

__all__ = ["environments_to_leave_out", "spec_without", "with_seed", "without_environment"]

#: Fewest labelled patients of each class in an environment that is left out, so that it can be judged.
LEAST_PER_CLASS = 5


def environments_to_leave_out(graph: HeteroData) -> list[str]:
    """Environments with enough labelled patients of at least two classes of an outcome, the largest first.

    Raises:
        InputError: No environment was declared, or fewer than two can be left out.
    """
    environment = graph["patient"].get("environment")
    if environment is None:
        raise InputError(
            "leaving one environment out needs environments: name their column as `environment` in [cohort] of the "
            "spec and build the graph again"
        )
    names = np.asarray(environment, dtype=object).astype(str)
    outcomes = _labels_of_each(graph)
    kept = []
    for name in np.unique(names):
        inside = names == name
        counts = (np.bincount(label[inside & (label >= 0)]) for label in outcomes)
        if any((each >= LEAST_PER_CLASS).sum() > 1 for each in counts):
            kept.append((-int((names == name).sum()), str(name)))
    if len(kept) < 2:
        raise InputError(
            f"leaving one environment out needs at least two environments with {LEAST_PER_CLASS} labelled patients of "
            f"two classes of an outcome each, found {len(kept)} among {len(np.unique(names))}"
        )
    return [name for _, name in sorted(kept)]


def without_environment(graph: HeteroData, holdout: str, seed: int) -> HeteroData:
    """The graph with one environment as ``test`` and everyone else shared by ``train`` and ``tuning`` (7 to 1).

    Vocabularies and scales stay those of the graph's own training patients, some of whom are then in the test split:
    they tell nothing of labels, but for a strict comparison build from the spec (:func:`spec_without`).

    Args:
        graph: The graph; it is not changed, and its tensors are shared.
        holdout: The environment.
        seed: Of the share between train and tuning.
    """
    patient = graph["patient"]
    spec = SplitSpec(kind="environment", holdout=[holdout], seed=seed)
    made = copy.copy(graph)
    label = any_label(graph)
    made["patient"].split = assign_split(
        spec, patient.subject, strata=label, environment=[str(name) for name in patient.environment]
    ).split
    return made


def spec_without(spec: CohortSpec, holdout: str, seed: int) -> CohortSpec:
    """The spec with one environment as the test set: everything is fitted on the others."""
    split = SplitSpec(kind="environment", holdout=[holdout], seed=seed, fractions=_three(spec))
    return spec.model_copy(update={"split": split})


def with_seed(spec: CohortSpec, seed: int) -> CohortSpec:
    """The spec with another seed of its split."""
    return spec.model_copy(update={"split": spec.split.model_copy(update={"seed": seed})})


def _three(spec: CohortSpec) -> tuple[float, float, float]:
    train, tuning, _ = spec.split.fractions
    return spec.split.fractions if train and tuning else (0.7, 0.1, 0.2)


def _labels_of_each(graph: HeteroData) -> list[NDArray[np.int64]]:
    """Labels of every outcome, -1 = unlabelled; each int64 [N]. Of a time to an event those of its first interval."""
    if graph.schema.multiclass or graph.schema.survival is not None:
        return [any_label(graph)]
    every = labels_of(graph, np.arange(len(graph["patient"].id)))
    return list(np.where(np.isnan(every), -1, every).astype(np.int64).T)
