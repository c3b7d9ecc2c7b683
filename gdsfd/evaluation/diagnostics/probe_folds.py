"""Folds and permutations that keep the patients of a person together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Numbers", "permuted_rows", "subject_folds"]

Numbers = NDArray[np.int64]


def subject_folds(subject: Numbers, folds: int, generator: np.random.Generator) -> Numbers:
    """Deals persons to folds of about equal size.

    Args:
        subject: Person of each patient; [n].
        folds: Number of folds.
        generator: Where the order of persons comes from.

    Returns:
        Fold of each patient; int64 [n].
    """
    people, code = np.unique(subject, return_inverse=True)
    fold_of = np.empty(len(people), dtype=np.int64)
    fold_of[generator.permutation(len(people))] = np.arange(len(people)) % folds
    return fold_of[code]


def permuted_rows(subject: Numbers, permutations: int, generator: np.random.Generator) -> Numbers:
    """Permutations of patients that move whole persons: each takes the place of one with as many patients.

    The patients of a person have much in common; labels permuted one by one would lose that, and chance would seem
    narrower than it is.

    Args:
        subject: Person of each patient; [n].
        permutations: How many, P.
        generator: Where they come from.

    Returns:
        int64 [P, n]: ``label[rows[p]]`` is the p-th permutation of ``label``.

    Example:
        >>> permuted_rows(np.array([7, 7, 3]), 1, np.random.default_rng(0)).tolist()
        [[0, 1, 2]]
    """
    order = np.argsort(subject, kind="stable")
    _, start, size = np.unique(subject[order], return_index=True, return_counts=True)
    rows = np.empty((permutations, len(subject)), dtype=np.int64)
    for patients in np.unique(size):
        places = order[start[size == patients][:, None] + np.arange(patients)]  # [persons, patients]
        for permutation in range(permutations):
            rows[permutation, places] = places[generator.permutation(len(places))]
    return rows
