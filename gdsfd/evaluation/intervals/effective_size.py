"""How many independent patients a sample is worth when several of them belong to one subject."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["effective_size", "kish_size", "patients_by_subject", "subjects_of", "sums_by_subject"]

Floats = NDArray[np.float64]

#: With more subjects than this the design effect is estimated; with fewer its bound is taken.
ESTIMATED_ABOVE = 30


def subjects_of(cluster: NDArray[np.int64]) -> int:
    """Number of subjects.

    Args:
        cluster: Number of each patient's subject; [m].
    """
    return len(patients_by_subject(cluster))


def patients_by_subject(cluster: NDArray[np.int64]) -> NDArray[np.int64]:
    """Numbers of patients of the subjects that have any, in the order of the subjects' numbers.

    Args:
        cluster: Number of each patient's subject, from 0; [m].
    """
    counts = np.bincount(cluster)
    return counts[counts > 0]


def sums_by_subject(values: Floats, cluster: NDArray[np.int64]) -> Floats:
    """Sums of a value over the patients of each subject that has any, in the order of the subjects' numbers.

    Args:
        values: One value per patient; [m].
        cluster: Number of each patient's subject, from 0; [m].
    """
    totals = np.asarray(np.bincount(cluster, weights=values), dtype=np.float64)
    return totals[np.bincount(cluster) > 0]


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
    patients = patients_by_subject(cluster).astype(np.float64)
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
    by_subject = sums_by_subject(off, cluster)
    effect = float(by_subject @ by_subject) * subjects / (subjects - 1) / independent
    return float(np.clip(size / max(effect, 1.0), bound, size))
