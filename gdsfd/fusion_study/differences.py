"""Differences of two contenders over a study's seeds, with the interval that its splits allow."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from gdsfd.fusion_study.answer import Material
from gdsfd.fusion_study.paired_auroc import paired_auroc
from gdsfd.fusion_study.resampled import Resampled, resampled

__all__ = ["difference"]


def difference(material: Material, learner: str, reference: str, condition: str = "natural") -> Resampled:
    """AUROC of a learner less a reference's, the mean over targets, on the same patients.

    With one split, or one seed, the draw of test patients enters: the mean of the targets' standard errors, which is
    too wide rather than too short where there are several.

    Args:
        material: The study's.
        learner: Name of a contender.
        reference: Name of another.
        condition: Under which both are asked.
    """
    gaps = np.array(material.by_seed(learner, condition)) - np.array(material.by_seed(reference, condition))
    train, test = material.sizes
    alike = material.one_split
    within: list[float] | None = None
    degrees = math.inf
    if alike or len(gaps) < 2:
        found = [_within(material.predictions, learner, reference, condition, seed) for seed in material.plan.seeds]
        within = [error for error, _ in found]
        degrees = min((own for _, own in found if own == own), default=math.inf)
    return resampled(
        gaps,
        train,
        test,
        material.plan.margin,
        within=within,
        degrees_within=degrees,
        one_split=alike and len(gaps) > 1,
    )


def _within(predictions: pd.DataFrame, learner: str, reference: str, condition: str, seed: int) -> tuple[float, float]:
    """Standard error of the difference of one seed and its degrees of freedom; NaN where it is not defined."""
    own = predictions[(predictions["seed"] == seed) & (predictions["condition"] == condition)]
    errors, degrees = [], []
    for _, target in own.groupby("target", sort=False):
        wide = target[target["learner"] == learner].merge(
            target[target["learner"] == reference], on="id", suffixes=("", "_reference")
        )
        if not len(wide):
            continue
        cluster = np.unique(wide["subject"].to_numpy(dtype=str), return_inverse=True)[1].astype(np.int64)
        y, p, other = (wide[name].to_numpy(dtype=np.float64) for name in ("y", "p", "p_reference"))
        found = paired_auroc(y, p, other, cluster)
        if math.isfinite(found.error):
            errors.append(found.error)
            degrees.append(found.degrees)
    return (float(np.mean(errors)), min(degrees)) if errors else (math.nan, math.nan)
