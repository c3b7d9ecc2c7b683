"""How well scores rank the positives of one yes/no target; scikit-learn's checks alone take longer than this."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdsfd.baselines.labels import Floats
from gdsfd.errors import InputError, shown

__all__ = ["average_precision", "roc_area"]


def roc_area(y: NDArray[Any], p: NDArray[Any]) -> float:
    """Area under the ROC curve: the share of pairs of a positive and a negative that are ranked right, ties half.

    Args:
        y: Labels, 0 or 1, both there; [n].
        p: Scores of the positive label; [n].

    Raises:
        InputError: A score is not finite.

    Example:
        >>> roc_area(np.array([0.0, 1.0, 1.0]), np.array([0.1, 0.1, 0.9]))
        0.75
    """
    positives, negatives = _counts_by_score(y, p)
    beaten = negatives.sum() - negatives.cumsum() + negatives / 2  # below each score, half of those at it
    return float(positives @ beaten / (positives.sum() * negatives.sum()))


def average_precision(y: NDArray[Any], p: NDArray[Any]) -> float:
    """The step-wise area under the precision-recall curve.

    Args:
        y: Labels, 0 or 1, some of them 1; [n].
        p: Scores of the positive label; [n].

    Raises:
        InputError: A score is not finite.

    Example:
        >>> average_precision(np.array([0.0, 1.0, 1.0]), np.array([0.1, 0.1, 0.9]))
        0.8333333333333333
    """
    positives, negatives = _counts_by_score(y, p)
    found = positives.cumsum()
    return float(positives @ (found / (found + negatives.cumsum())) / found[-1])


def _counts_by_score(y: NDArray[Any], p: NDArray[Any]) -> tuple[Floats, Floats]:
    """Positives and negatives of each score, the highest first."""
    if not np.isfinite(p).all():
        raise InputError(f"scores: expected finite numbers, got {shown(p[~np.isfinite(p)].tolist())}")
    order = np.argsort(-p, kind="stable")
    starts = np.flatnonzero(np.concatenate([[True], np.diff(p[order]) != 0]))
    positives = np.add.reduceat(np.asarray(y, dtype=np.float64)[order], starts)
    return positives, np.diff(starts, append=len(p)) - positives
