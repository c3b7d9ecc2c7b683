r"""What each patient contributes to an AUROC, and the difference of two learners' AUROC on the same patients.

With m positives and n negatives, :math:`V_i` the share of negatives below positive i and :math:`W_j` that of positives
above negative j (ties half), patients contribute :math:`(V_i - A)/m` and :math:`(W_j - A)/n`. Contributions sum to 0;
the sum of their squares is the variance of DeLong et al. but for a factor of nearly 1, and those of two learners may be
subtracted patient by patient. Summed by subject first, they allow for several patients of one subject.

References:
    DeLong, DeLong and Clarke-Pearson, Biometrics (1988); Obuchowski, Biometrics (1997) for the sums by subject.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from gdsfd.evaluation.intervals.effective_size import subjects_of

__all__ = ["PairedAuroc", "auroc_parts", "error_by_subject", "paired_auroc"]

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


class PairedAuroc(NamedTuple):
    """A difference of two AUROC on the same patients.

    Args:
        difference: Learner less reference; NaN where there is only one class.
        error: Its standard error over draws of subjects, both learners held as they were fitted.
        degrees: Subjects of the rarer class, less one.
    """

    difference: float
    error: float
    degrees: float


def auroc_parts(y: Floats, p: Floats) -> tuple[float, Floats]:
    """The AUROC and what each patient contributes to its deviation.

    Args:
        y: Labels, 0 or 1; [n].
        p: Scores; [n].

    Returns:
        The area and the parts, [n]; NaN where there is only one class.
    """
    positive = y == 1
    up, down = p[positive], p[~positive]
    if not len(up) or not len(down):
        return math.nan, np.full(len(y), np.nan)
    ranks = rankdata(np.concatenate([up, down]))
    above = (ranks[: len(up)] - rankdata(up)) / len(down)
    below = 1 - (ranks[len(up) :] - rankdata(down)) / len(up)
    area = float(above.mean())
    parts = np.empty(len(y))
    parts[positive], parts[~positive] = (above - area) / len(up), (below - area) / len(down)
    return area, parts


def error_by_subject(parts: Floats, cluster: Codes) -> float:
    """Standard error of a figure from what each patient contributes to its deviation.

    Args:
        parts: Contributions; [n].
        cluster: Number of each patient's subject; [n].
    """
    by_subject = np.bincount(np.unique(cluster, return_inverse=True)[1], parts)
    subjects = len(by_subject)
    return math.sqrt(float(by_subject @ by_subject) * subjects / max(1, subjects - 1))


def paired_auroc(y: Floats, p: Floats, reference: Floats, cluster: Codes) -> PairedAuroc:
    """The difference of two learners' AUROC on the same patients, with its standard error over draws of subjects.

    Args:
        y: Labels, 0 or 1; [n].
        p: Scores of a learner; [n].
        reference: Scores of the other; [n].
        cluster: Number of each patient's subject; [n].

    Example:
        >>> y = np.array([0.0, 0.0, 1.0, 1.0])
        >>> paired_auroc(y, np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 3.0, 2.0, 4.0]), np.arange(4)).difference
        0.25
    """
    area, parts = auroc_parts(y, p)
    other, other_parts = auroc_parts(y, reference)
    if not math.isfinite(area):
        return PairedAuroc(math.nan, math.nan, math.nan)
    degrees = min(subjects_of(cluster[y == 1]), subjects_of(cluster[y == 0])) - 1
    return PairedAuroc(area - other, error_by_subject(parts - other_parts, cluster), float(degrees))
