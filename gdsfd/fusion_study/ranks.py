"""Whether an order of learners survives: Kendall's tau between conditions, regret, area between single and full."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gdsfd.evaluation.metrics.bootstrap import SubjectBootstrap
from gdsfd.evaluation.metrics.estimate import Estimate, percentile_interval
from gdsfd.fusion_study.group_figures import weighted_auroc

__all__ = ["Orders", "kendall_tau", "normalised_area", "orders", "rank_survival", "regret"]

Floats = NDArray[np.float64]


def kendall_tau(first: Floats, second: Floats) -> Floats:
    """Kendall's tau-b between the columns of two tables, column by column; NaN where all are tied; [draws].

    As ``scipy.stats.kendalltau`` has it, for thousands of columns at once.

    Args:
        first: One row per learner; [L, draws].
        second: Another; [L, draws].

    Example:
        >>> kendall_tau(np.array([[1.0], [2.0], [3.0]]), np.array([[1.0], [3.0], [2.0]])).round(3).tolist()
        [0.333]
    """
    upper = np.triu_indices(len(first), 1)
    one, other = (np.sign(each[upper[0]] - each[upper[1]]) for each in (first, second))
    scale = np.sqrt((one**2).sum(0) * (other**2).sum(0))
    return np.divide((one * other).sum(0), scale, out=np.full(len(scale), np.nan), where=scale > 0)


@dataclass(frozen=True)
class Orders:
    """Learners' AUROC under several conditions, in draws of subjects that all of them meet.

    Args:
        learners: Their names.
        areas: Condition -> AUROC, the mean over seeds and targets; the first column is without a draw; [L, 1 + draws].
    """

    learners: tuple[str, ...]
    areas: Mapping[str, Floats]

    def agreement(self, first: str, second: str) -> Estimate:
        """Kendall's tau-b between the learners' orders under two conditions, with a bootstrap interval.

        An order of learners that hardly differ is loose, and draws loosen it further: tau in resamples lies nearer to 0
        than the observed one.
        """
        if len(self.learners) < 2 or first not in self.areas or second not in self.areas:
            return Estimate.undefined("fewer than two learners under both conditions")
        taus = kendall_tau(self.areas[first], self.areas[second])
        if not math.isfinite(taus[0]):
            return Estimate.undefined("an order is not defined")
        return Estimate(float(taus[0]), *percentile_interval(taus[1:]))

    def best(self, condition: str) -> Floats:
        """How often each learner has the highest AUROC in the draws of subjects; [L]."""
        first = self.areas[condition][:, 1:].argmax(0)
        return np.bincount(first, minlength=len(self.learners)) / max(1, len(first))


def orders(predictions: pd.DataFrame, conditions: Sequence[str], resamples: int = 300, seed: int = 0) -> Orders:
    """AUROC of learners in draws of subjects.

    Args:
        predictions: One row per patient, seed, learner, condition, target.
        conditions: Those wanted; one that some learner was not asked under is left out.
        resamples: Draws of subjects; learners and conditions meet the same ones.
        seed: Of the draws.
    """
    own = predictions[predictions["condition"].isin(list(conditions))]
    subject = np.unique(own["subject"].to_numpy(dtype=str))
    bootstrap = SubjectBootstrap(subject.tolist(), resamples, seed)
    found: dict[str, dict[str, list[Floats]]] = {}
    key: Any
    for key, each in own.groupby(["learner", "seed", "condition", "target"], sort=False):
        learner, condition = str(key[0]), str(key[2])
        code = bootstrap.code[np.searchsorted(subject, each["subject"].to_numpy(dtype=str))]
        weights = np.vstack([np.ones((1, len(code)), dtype=np.uint8), bootstrap.counts[:, code]])
        area = weighted_auroc(each["y"].to_numpy(dtype=np.float64), each["p"].to_numpy(dtype=np.float64), weights)
        if math.isfinite(area[0]):
            found.setdefault(condition, {}).setdefault(learner, []).append(area)
    learners = list(dict.fromkeys(name for areas in found.values() for name in areas))
    whole = [each for each in conditions if set(found.get(each, {})) == set(learners)]
    areas = {each: np.array([np.mean(found[each][name], axis=0) for name in learners]) for each in whole}
    return Orders(tuple(learners), areas)


def rank_survival(
    predictions: pd.DataFrame, target: str, first: str, second: str, resamples: int = 300, seed: int = 0
) -> Estimate:
    """Kendall's tau-b between the learners' orders under two conditions, with a subject bootstrap interval.

    Args:
        predictions: One row per patient, seed, learner, condition, target.
        target: Which target.
        first: A condition.
        second: Another.
        resamples: Draws of subjects; learners and conditions meet the same ones.
        seed: Of the draws.
    """
    own = predictions[predictions["target"] == target]
    return orders(own, [first, second], resamples, seed).agreement(first, second)


def regret(floor: Sequence[float] | Floats, found: Sequence[float] | Floats) -> Floats:
    """AUROC of a model retrained on what remains less a model's under hiding; above 0 the absence confuses it; [R].

    Example:
        >>> regret([0.75, 0.75], [0.75, 0.7]).round(3).tolist()
        [0.0, 0.05]
    """
    return np.asarray(floor, dtype=np.float64) - np.asarray(found, dtype=np.float64)


def normalised_area(
    rates: Sequence[float] | Floats, found: Sequence[float] | Floats, single: float, full: float
) -> float:
    """Mean over rates of hiding of where a curve lies between the best single model (0) and the full one (1).

    The area by trapezoids over the range of rates.

    Args:
        rates: Rates of hiding, rising; at least two.
        found: AUROC at each.
        single: AUROC of the best single model.
        full: AUROC with all that is there.

    Returns:
        NaN where the full model is not above the single one.

    Example:
        >>> normalised_area([0.0, 0.5, 1.0], [0.8, 0.75, 0.7], single=0.7, full=0.8)
        0.5
    """
    if not full > single or len(rates) < 2:
        return math.nan
    x = np.asarray(rates, dtype=np.float64)
    share = (np.asarray(found, dtype=np.float64) - single) / (full - single)
    return round(float(np.trapezoid(share, x) / (x[-1] - x[0])), 12)
