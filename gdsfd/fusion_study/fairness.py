r"""Gaps between groups beside what chance makes of them.

The largest figure of several groups less the smallest is above 0 where no group differs. A gap is therefore given
beside its null, the gaps under labels of groups that are permuted inside outcome classes; it alarms only beyond the
null's 95 %, after Holm's correction over the attributes and figures of a learner and target.

A group's figure is its mean over seeds, and the gap is taken of these means. Groups with fewer than 50 patients or 10
of either class, in any seed, are "too few" and take no part.

References:
    The null and the rules are ours. Shrinkage: DerSimonian and Laird, Controlled Clinical Trials (1986), for the
    variance between groups; Efron and Morris, JASA (1973), for the means.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gdsfd.baselines.labels import why_undefined
from gdsfd.comparison.statistics import LEVEL, holm
from gdsfd.errors import InputError
from gdsfd.evaluation.metrics.bootstrap import SubjectBootstrap
from gdsfd.evaluation.metrics.estimate import Estimate, percentile_interval
from gdsfd.fusion_study.group_figures import FIGURES, figures_of_groups
from gdsfd.fusion_study.group_labels import permuted_labels
from gdsfd.fusion_study.paired_auroc import auroc_parts, error_by_subject

__all__ = ["MIN_PATIENTS", "MIN_PER_CLASS", "Judged", "gap_difference", "gaps", "judged", "shrunken"]

#: The fewest patients of a group, and of each class in it.
MIN_PATIENTS, MIN_PER_CLASS = 50, 10

Floats = NDArray[np.float64]
Thresholds = Mapping[tuple[str, int, str], float]


@dataclass(frozen=True)
class Judged:
    """The patients of a target and how an attribute divides them.

    Args:
        names: Groups that are large enough; G of them.
        too_few: Groups that are not -> their patients.
        code: Number of each patient's group, -1 for groups too small; [n].
        y: Labels; [n].
        subject: Number of each patient's subject; [n].
        rows: Seed -> its patients, as rows of the arrays above; [m].
        p: Learner and seed -> probabilities of the seed's patients; [m].
        thresholds: Learner and seed -> threshold; NaN where there is none.
    """

    names: tuple[str, ...]
    too_few: dict[str, int]
    code: NDArray[np.int16]
    y: Floats
    subject: NDArray[np.int64]
    rows: dict[int, NDArray[np.int64]]
    p: dict[tuple[str, int], Floats]
    thresholds: dict[tuple[str, int], float]

    def figures(self, learner: str, codes: NDArray[Any] | None = None, weights: NDArray[Any] | None = None) -> Floats:
        """Figures of every group, the mean over seeds; NaN where a seed lacks one; [3, r, G]."""
        labels = self.code[None] if codes is None else codes
        found = []
        for (name, seed), p in self.p.items():
            if name == learner:
                rows = self.rows[seed]
                own = None if weights is None else weights[:, rows]
                threshold = self.thresholds[name, seed]
                found.append(figures_of_groups(self.y[rows], p, threshold, labels[:, rows], len(self.names), own))
        return np.mean(found, axis=0)

    def errors(self, learner: str) -> Floats:
        """Standard errors of these figures over draws of subjects, none below half a patient; [3, G]."""
        parts = np.zeros((len(FIGURES), len(self.names), len(self.y)))
        seeds = [seed for name, seed in self.p if name == learner]
        for seed in seeds:
            rows, p = self.rows[seed], self.p[learner, seed]
            flagged = (p >= self.thresholds[learner, seed]).astype(np.float64)
            for group in range(len(self.names)):
                own = np.flatnonzero(self.code[rows] == group)
                y = self.y[rows[own]]
                parts[0, group, rows[own]] += auroc_parts(y, p[own])[1]
                for figure, outcome in ((1, 1), (2, 0)):
                    there = own[y == outcome]
                    parts[figure, group, rows[there]] += (flagged[there] - flagged[there].mean()) / len(there)
        found = np.empty((len(FIGURES), len(self.names)))
        for group in range(len(self.names)):
            own = self.code == group
            events = float(self.y[own].sum())
            others = float(own.sum()) - events
            for figure, size in enumerate((min(events, others), events, others)):
                error = error_by_subject(parts[figure, group, own] / len(seeds), self.subject[own])
                found[figure, group] = max(error, 0.5 / size)
        return found


def judged(
    predictions: pd.DataFrame,
    facts: pd.DataFrame,
    target: str,
    attribute: str,
    thresholds: Thresholds,
    condition: str = "natural",
    min_patients: int = MIN_PATIENTS,
    min_per_class: int = MIN_PER_CLASS,
) -> Judged:
    """The patients of a target, divided by an attribute.

    Args:
        predictions: One row per patient, seed, learner, condition, target: ``id``, ``subject``, ``seed``, ``learner``,
            ``condition``, ``target``, ``y``, ``p``.
        facts: One row per patient: ``id`` and ``group:<attribute>``.
        target: Which target.
        attribute: Which attribute.
        thresholds: Learner, seed and target -> threshold.
        condition: Which condition.
        min_patients: The fewest patients of a group in every seed.
        min_per_class: The fewest with, and the fewest without the outcome.

    Raises:
        InputError: No such attribute; a learner lacks patients of a seed that another has.
    """
    column = f"group:{attribute}"
    if column not in facts:
        columns = [str(name) for name in facts.columns]
        known = ", ".join(name.removeprefix("group:") for name in columns if name.startswith("group:"))
        raise InputError(f"fairness: no attribute {attribute!r} in the facts; they have {known or 'none'}")
    own = predictions[(predictions["target"] == target) & (predictions["condition"] == condition)]
    patients = own.drop_duplicates("id").sort_values("id")
    position = pd.Series(np.arange(len(patients)), index=patients["id"].to_numpy())
    value = facts.drop_duplicates("id").set_index("id")[column].reindex(position.index).fillna("Unknown")
    names, number = np.unique(value.to_numpy(dtype=str), return_inverse=True)
    y = patients["y"].to_numpy(dtype=np.float64)
    rows: dict[int, NDArray[np.int64]] = {}
    p: dict[tuple[str, int], Floats] = {}
    key: Any
    for key, each in own.groupby(["learner", "seed"], sort=False):
        learner, seed = str(key[0]), int(key[1])
        found = position.loc[each["id"].to_numpy()].to_numpy()
        order = np.argsort(found)
        here = rows.setdefault(seed, found[order])
        if not np.array_equal(here, found[order]):
            raise InputError(
                f"fairness: {learner} and others predict different patients of seed {seed}, target {target}"
            )
        p[learner, seed] = each["p"].to_numpy(dtype=np.float64)[order]
    large, too_few = [], {}
    for group, name in enumerate(names):
        labels = [y[here[number[here] == group]] for here in rows.values()]
        if any(why_undefined(each, min_patients, min_per_class) for each in labels):
            too_few[str(name)] = int((number == group).sum())
        else:
            large.append(group)
    code = np.full(len(patients), -1, dtype=np.int16)
    for new, group in enumerate(large):
        code[number == group] = new
    subject = np.unique(patients["subject"].to_numpy(dtype=str), return_inverse=True)[1]
    at = {key: float(thresholds.get((key[0], key[1], target), math.nan)) for key in p}
    return Judged(tuple(str(names[group]) for group in large), too_few, code, y, subject, rows, p, at)


def gaps(
    predictions: pd.DataFrame,
    facts: pd.DataFrame,
    attributes: Sequence[str],
    thresholds: Thresholds,
    permutations: int = 1000,
    seed: int = 0,
    condition: str = "natural",
) -> pd.DataFrame:
    """Gaps of AUROC, TPR and FPR between groups, each beside its null.

    Args:
        predictions: See :func:`judged`.
        facts: See :func:`judged`.
        attributes: Names of the attributes.
        thresholds: Learner, seed and target -> threshold.
        permutations: At least so many labellings; 40 for each test of a family where that is more, since a smaller
            number could never alarm.
        seed: Of the permutations. All learners meet the same ones.
        condition: Which condition.

    Returns:
        One row per target, learner, attribute and figure: ``gap``, ``highest``, ``lowest`` (groups), ``groups`` (how
        many), ``too_few`` (group -> patients), ``null_median``, ``null_95``, ``p``, ``p_adjusted`` (Holm over a
        learner's attributes and figures of one target), ``shrunken``, ``alarm``. Without two groups that are large
        enough, or without a threshold, a gap is NaN, never 0, and alarms nobody.
    """
    draws = max(permutations, 40 * len(FIGURES) * len(attributes))
    found: list[dict[str, Any]] = []
    for target in dict.fromkeys(predictions["target"]):
        for number, attribute in enumerate(attributes):
            each = judged(predictions, facts, target, attribute, thresholds, condition)
            enough = len(each.names) > 1
            labels = permuted_labels(each.code, each.y, each.subject, draws, seed + number) if enough else None
            for learner in dict.fromkeys(name for name, _ in each.p):
                key = {"target": target, "learner": learner, "attribute": attribute}
                rest = {"groups": len(each.names), "too_few": each.too_few}
                if labels is None:
                    found += [{**key, "figure": figure, **_undefined(), **rest} for figure in FIGURES]
                    continue
                values, null = each.figures(learner)[:, 0], np.ptp(each.figures(learner, labels), axis=2)
                errors = each.errors(learner)
                for row, figure in enumerate(FIGURES):
                    one = _beside_null(values[row], errors[row], null[row], each.names)
                    found.append({**key, "figure": figure, **one, **rest})
    table = pd.DataFrame(found)
    if len(table):
        families = table.groupby(["target", "learner"], sort=False)["p"]
        table["p_adjusted"] = families.transform(lambda own: holm(own.tolist()))
        table["alarm"] = (table["gap"] > table["null_95"]) & (table["p_adjusted"] < LEVEL)
    return table


def shrunken(values: Floats, errors: Floats) -> Floats:
    r"""Figures of groups drawn towards their mean by as much as chance explains.

    With :math:`\tau^2` the variance between groups by the method of moments, :math:`\theta_g` becomes
    :math:`\mu + \frac{\tau^2}{\tau^2 + e_g^2} (\theta_g - \mu)`; where groups differ by no more than their errors all
    become the mean.

    Args:
        values: One figure per group; [G].
        errors: Their standard errors, above 0; [G].

    Example:
        >>> shrunken(np.array([0.7, 0.8]), np.array([0.1, 0.1])).round(3).tolist()
        [0.75, 0.75]
        >>> shrunken(np.array([0.6, 0.8]), np.array([0.1, 0.1])).round(3).tolist()
        [0.65, 0.75]
    """
    weights = 1 / errors**2
    mean = weights @ values / weights.sum()
    excess = float(weights @ (values - mean) ** 2) - (len(values) - 1)
    between = max(0.0, excess / float(weights.sum() - weights @ weights / weights.sum()))
    weights = 1 / (between + errors**2)
    mean = weights @ values / weights.sum()
    return mean + between * weights * (values - mean)


def gap_difference(
    each: Judged, learner: str, reference: str, resamples: int = 1000, seed: int = 0
) -> dict[str, Estimate]:
    """A learner's gap less a reference's, with a percentile interval over draws of subjects.

    Both gaps are too large by chance, and by more in resamples; what is said of the difference rests on the two being
    so alike.

    Args:
        each: Patients and predictions of both.
        learner: A learner.
        reference: Another.
        resamples: Draws of subjects; both learners meet the same ones.
        seed: Of the draws.

    Returns:
        Figure -> difference.
    """
    if len(each.names) < 2:
        return {figure: Estimate.undefined("fewer than two groups are large enough") for figure in FIGURES}
    bootstrap = SubjectBootstrap(each.subject.astype(str).tolist(), resamples, seed)
    weights = bootstrap.counts[:, bootstrap.code]
    observed = [np.ptp(each.figures(name)[:, 0], axis=1) for name in (learner, reference)]
    drawn = [np.ptp(each.figures(name, weights=weights), axis=2) for name in (learner, reference)]
    found = {}
    for row, figure in enumerate(FIGURES):
        value = float(observed[0][row] - observed[1][row])
        found[figure] = (
            Estimate(value, *percentile_interval(drawn[0][row] - drawn[1][row]))
            if math.isfinite(value)
            else Estimate.undefined("no threshold")
        )
    return found


def _beside_null(values: Floats, errors: Floats, null: Floats, names: Sequence[str]) -> dict[str, Any]:
    gap = float(np.ptp(values))
    null = null[np.isfinite(null)]
    if not math.isfinite(gap) or not len(null):
        return _undefined()
    return {
        "gap": gap,
        "highest": names[int(values.argmax())],
        "lowest": names[int(values.argmin())],
        "null_median": float(np.median(null)),
        "null_95": float(np.quantile(null, 0.95)),
        "p": float((1 + (null >= gap - 1e-12).sum()) / (1 + len(null))),
        "shrunken": float(np.ptp(shrunken(values, errors))),
    }


def _undefined() -> dict[str, Any]:
    return {
        "highest": "",
        "lowest": "",
        **dict.fromkeys(("gap", "null_median", "null_95", "p", "shrunken"), math.nan),
    }
