r"""How much of a gap between groups is who has what, and how much is left when all groups have the same patterns.

Every group is given the pooled distribution of patterns of modalities inside outcome classes, by weights
:math:`P(\text{pattern} \mid y) / P(\text{pattern} \mid y, g)`. Patterns that a group lacks in a class cannot be given
to it and are left out of the common distribution; ``covered`` is the share of patients that remains. Our formulation.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import pearsonr

from gdsfd.fusion_study.fairness import Judged
from gdsfd.fusion_study.group_figures import FIGURES

__all__ = ["correlation_with_missing", "gap_by_availability", "pattern_weights", "presence_rates"]

Floats = NDArray[np.float64]

#: The fewest groups for a correlation.
FEWEST_GROUPS = 8


def presence_rates(facts: pd.DataFrame, attribute: str) -> pd.DataFrame:
    """Share of each group that has each modality; groups down, modalities across, ``n`` beside them.

    Args:
        facts: One row per patient: ``group:<attribute>``, ``has:<modality>``.
        attribute: Which attribute.
    """
    has = {str(name): str(name).removeprefix("has:") for name in facts.columns if str(name).startswith("has:")}
    groups = facts.groupby(facts[f"group:{attribute}"].fillna("Unknown"))
    rates = groups[list(has)].mean().rename(columns=has)
    rates.insert(0, "n", groups.size())
    return rates


def pattern_weights(code: NDArray[np.int16], y: Floats, pattern: NDArray[np.str_], groups: int) -> Floats:
    """Weights under which every group has the pooled patterns inside each outcome class.

    Args:
        code: Group of each patient, below 0: none; [n].
        y: Labels; [n].
        pattern: Which modalities each has; [n].
        groups: Number of groups.

    Returns:
        0 for patients of no group, and of patterns that a group lacks in the class; [n].
    """
    weights = np.zeros(len(y))
    kind = np.unique(pattern, return_inverse=True)[1]
    for label in (0, 1):
        own = np.flatnonzero((y == label) & (code >= 0))
        counts = np.zeros((groups, int(kind.max(initial=0)) + 1))
        np.add.at(counts, (code[own], kind[own]), 1)
        counts *= (counts > 0).all(0)  # patterns that all groups have
        pooled = counts.sum(0)
        within = counts / np.maximum(counts.sum(1, keepdims=True), 1)
        ratio = np.divide(pooled / max(1.0, pooled.sum()), within, out=np.zeros_like(within), where=within > 0)
        weights[own] = ratio[code[own], kind[own]]
    return weights


def gap_by_availability(each: Judged, learner: str, pattern: NDArray[np.str_]) -> pd.DataFrame:
    """Gaps as they are, with the same patterns in all groups, and the difference, which goes with availability.

    Weights are those of all patients of the target, whatever their seed.

    Args:
        each: Patients and predictions.
        learner: A learner.
        pattern: Pattern of each of its patients; [n].

    Returns:
        One row per figure: ``gap``, ``gap_same_patterns`` (the remainder, the model's), ``by_availability``,
        ``covered``. NaN with fewer than two groups.
    """
    table = pd.DataFrame({"figure": FIGURES})
    if len(each.names) < 2:
        return table.assign(gap=np.nan, gap_same_patterns=np.nan, by_availability=np.nan, covered=np.nan)
    weights = pattern_weights(each.code, each.y, pattern, len(each.names))
    table["gap"] = np.ptp(each.figures(learner)[:, 0], axis=1)
    table["gap_same_patterns"] = np.ptp(each.figures(learner, weights=weights[None])[:, 0], axis=1)
    table["by_availability"] = table["gap"] - table["gap_same_patterns"]
    table["covered"] = float((weights[each.code >= 0] > 0).mean())
    return table


def correlation_with_missing(each: Judged, learner: str, lacking: pd.Series) -> pd.DataFrame:
    """Whether groups that lack more modalities fare worse: Pearson's correlation over groups, with Fisher's interval.

    Args:
        each: Patients and predictions.
        learner: A learner.
        lacking: Group -> share of modalities that its patients lack.

    Returns:
        One row per figure: ``correlation`` with its ends and ``groups``; NaN with fewer than 8 groups, of which one
        or two decide it.
    """
    table = pd.DataFrame({"figure": FIGURES, "groups": len(each.names)})
    ends = np.full((len(FIGURES), 3), np.nan)
    if len(each.names) >= FEWEST_GROUPS:
        missing = lacking.reindex(list(each.names)).to_numpy(dtype=np.float64)
        for row, values in enumerate(each.figures(learner)[:, 0]):
            if np.isfinite(values).all() and np.ptp(values) > 0 and np.ptp(missing) > 0:
                found = pearsonr(missing, values)
                ends[row] = found.statistic, *found.confidence_interval(0.95)
    table["correlation"], table["correlation_low"], table["correlation_high"] = ends.T
    return table
