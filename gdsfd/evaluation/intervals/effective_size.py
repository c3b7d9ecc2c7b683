"""How many independent patients a sample is worth when several of them belong to one subject."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["effective_size", "kish_size", "subjects_of"]

Floats = NDArray[np.float64]

#: With more subjects than this the design effect is estimated; with fewer its bound is taken.
ESTIMATED_ABOVE = 30


def subjects_of(cluster: NDArray[np.int64]) -> int:
    """Number of subjects.

    Args:
        cluster: Number of each patient's subject; [m].
    """
    return len(np.unique(cluster))


def kish_size(cluster: NDArray[np.int64]) -> float:
    r"""Effective size when the patients of a subject all fare alike: :math:`m^2 / \sum_s m_s^2`, the worst case.

    With one patient per subject it is the number of patients; with the same number for each, that of subjects.

    Args:
        cluster: Number of each patient's subject; [m].

    References:
        Kish, Survey Sampling (1965): the effective size under unequal weights.

    Example:
        >>> kish_size(np.array([0, 0, 1, 1])), kish_size(np.array([0, 1, 2]))
        (2.0, 3.0)
    """
    if not len(cluster):
        return 0.0
    patients = np.unique(cluster, return_counts=True)[1].astype(np.float64)
    return float(patients.sum() ** 2 / (patients**2).sum())


def effective_size(values: Floats, cluster: NDArray[np.int64]) -> float:
    """Effective size for the mean of ``values``: the number of patients over the design effect.

    The design effect is the variance of the mean summed by subject over that of independent patients. It is taken
    between 1 and its bound (:func:`kish_size`), and at the bound where there are 30 subjects or fewer, or where the
    values do not vary: so few subjects do not show how alike their patients are.

    Args:
        values: One value per patient; [m].
        cluster: Number of each patient's subject; [m].

    References:
        Korn and Graubard, Survey Methodology (1998): exact intervals at the effective size. The bound is ours.
    """
    size = len(values)
    bound = kish_size(cluster)
    subjects = subjects_of(cluster)
    if subjects <= ESTIMATED_ABOVE or subjects == size:
        return bound
    off = values - values.mean()
    independent = float(off @ off)
    if independent <= 0:
        return bound
    by_subject = np.bincount(np.unique(cluster, return_inverse=True)[1], off)
    effect = float(by_subject @ by_subject) * subjects / (subjects - 1) / independent
    return float(np.clip(size / max(effect, 1.0), bound, size))
