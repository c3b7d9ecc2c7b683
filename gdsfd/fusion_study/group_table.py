"""Every group by itself: size, figures with intervals, calibration and net benefit at the common threshold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gdsfd.evaluation.intervals.of_metric import mean_limits
from gdsfd.evaluation.metrics.bootstrap import SubjectBootstrap
from gdsfd.evaluation.metrics.calibration import calibration_line
from gdsfd.evaluation.metrics.estimate import Estimate
from gdsfd.evaluation.metrics.metric import Metric, Sample
from gdsfd.evaluation.metrics.metric_set import score
from gdsfd.evaluation.targets import Target
from gdsfd.fusion_study.fairness import Judged
from gdsfd.training.run_record.operating_point import OperatingPoint

__all__ = ["BETWEEN", "GROUP_FIGURES", "group_table", "with_intersections"]

Floats = NDArray[np.float64]

#: Between two attributes of an intersection.
BETWEEN = " × "
#: Resamples behind the interval of average precision.
RESAMPLES = 200


def _benefit(sample: Sample) -> tuple[Floats, Floats]:
    odds = sample.threshold / (1 - sample.threshold) if sample.threshold < 1 else math.nan
    return sample.flagged * (sample.y - odds * (1 - sample.y)), np.ones_like(sample.y)


_NET_BENEFIT = Metric(
    "net_benefit", "Net benefit", ratio=_benefit, interval=mean_limits(above_zero=False), at_threshold=True
)
_METRICS: tuple[str | Metric, ...] = ("auroc", "auprc", "tpr", "fpr", "ppv", _NET_BENEFIT)
#: Figures of the table, each with ``_low`` and ``_high`` beside it.
GROUP_FIGURES = (
    *(each if isinstance(each, str) else each.name for each in _METRICS),
    "calibration_intercept",
    "calibration_slope",
)


def with_intersections(patients: pd.DataFrame, attributes: Sequence[str]) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Facts of patients with a column for each pair of attributes beside the attributes' own.

    Args:
        patients: With ``group:<attribute>``.
        attributes: Names of the attributes.

    Returns:
        The facts, and the pairs' names, such as ``sex × age``.
    """
    own = {name: patients[f"group:{name}"].fillna("Unknown").astype(str) for name in attributes}
    pairs = {f"{one}{BETWEEN}{other}": own[one] + BETWEEN + own[other] for one, other in combinations(attributes, 2)}
    return patients.assign(**{f"group:{name}": values for name, values in pairs.items()}), tuple(pairs)


def group_table(each: Judged, learner: str) -> pd.DataFrame:
    """Groups of one attribute and target under one learner.

    A figure is its mean over seeds, and so are the ends of its interval, which is wider than that of the mean.

    Args:
        each: Patients and predictions.
        learner: A learner.

    Returns:
        One row per group: ``group``, ``n`` and ``events`` (patients of all seeds together), ``prevalence``, which is
        average precision by chance, too, :data:`GROUP_FIGURES` with their ends, ``note``. Groups too small have ``n``
        and the note "too few", and NaN everywhere else, never 0.
    """
    rows: list[dict[str, Any]] = []
    for number, name in enumerate(each.names):
        own = each.code == number
        found = [_of_seed(each, learner, seed, number) for seed in each.rows if (learner, seed) in each.p]
        row = {"group": name, "n": int(own.sum()), "events": int(each.y[own].sum()), "prevalence": each.y[own].mean()}
        for figure in GROUP_FIGURES:
            ends = np.array([[one[figure].value, one[figure].low, one[figure].high] for one in found])
            row |= dict(zip((figure, f"{figure}_low", f"{figure}_high"), ends.mean(0).tolist(), strict=True))
        rows.append({**row, "note": ""})
    rows += [{"group": name, "n": count, "note": "too few"} for name, count in each.too_few.items()]
    columns = [f"{figure}{end}" for figure in GROUP_FIGURES for end in ("", "_low", "_high")]
    return pd.DataFrame(rows, columns=["group", "n", "events", "prevalence", *columns, "note"])


def _of_seed(each: Judged, learner: str, seed: int, group: int) -> dict[str, Estimate]:
    rows, threshold = each.rows[seed], each.thresholds[learner, seed]
    inside = np.flatnonzero(each.code[rows] == group)
    y, p, subject = each.y[rows[inside]], each.p[learner, seed][inside], each.subject[rows[inside]]
    bootstrap = SubjectBootstrap(subject.astype(str).tolist(), RESAMPLES, seed)
    target = Target("", np.arange(len(y)), y, p)
    point = OperatingPoint(threshold, math.nan, reason="" if math.isfinite(threshold) else "no threshold")
    intercept, slope = calibration_line(y, p, bootstrap.code)
    found = score(target, bootstrap, point, metrics=_METRICS).estimates
    return {**found, "calibration_intercept": intercept, "calibration_slope": slope}
