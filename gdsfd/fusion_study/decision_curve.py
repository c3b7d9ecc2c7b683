r"""Net benefit of two models over thresholds: what fusion is worth to somebody who acts on it.

At a threshold t, the risk from which one would act, of n patients

.. math:: \mathrm{NB}(t) = \frac{TP}{n} - \frac{FP}{n} \, \frac{t}{1 - t}

in true positives per patient. To act on nobody has 0, to act on everybody the prevalence less
:math:`(1 - \text{prevalence}) t / (1 - t)`.

References:
    Vickers and Elkin, Medical Decision Making (2006).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gdsfd.fusion_study.answer import Material
from gdsfd.fusion_study.resampled import resampled

__all__ = ["THRESHOLDS", "decision_curve", "net_benefit"]

Floats = NDArray[np.float64]

#: Risks from which one would act.
THRESHOLDS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)


def net_benefit(y: Floats, p: Floats, thresholds: Floats) -> Floats:
    """Net benefit at each threshold, in true positives per patient; [T].

    Args:
        y: Labels, 0 or 1; [n].
        p: Probabilities; [n].
        thresholds: Between 0 and 1; [T].

    Example:
        >>> net_benefit(np.array([1.0, 1, 0, 0]), np.array([0.9, 0.1, 0.6, 0.2]), np.array([0.5, 0.2])).tolist()
        [0.0, 0.125]
    """
    flagged = p[None] >= thresholds[:, None]
    odds = thresholds / (1 - thresholds)
    return np.asarray((flagged @ y - odds * (flagged @ (1 - y))) / len(y))


def decision_curve(material: Material, learner: str, reference: str) -> pd.DataFrame:
    """Net benefit of a learner and of a reference over the targets' patients, means over targets and seeds.

    Args:
        material: The study's.
        learner: Name of a contender.
        reference: Name of another.

    Returns:
        Columns ``threshold``, ``everybody``, ``reference``, ``learner`` and ``difference`` with its ends: an interval
        over splits, or NaN where all seeds judge the same patients.
    """
    whole = material.predictions[material.predictions["condition"] == "natural"]
    at = np.array(THRESHOLDS)
    found: dict[str, list[Floats]] = {"everybody": [], learner: [], reference: []}
    for seed in material.plan.seeds:
        parts: dict[str, list[Floats]] = {name: [] for name in found}
        for name in (learner, reference):
            own = whole[(whole["seed"] == seed) & (whole["learner"] == name)]
            for _, target in own.groupby("target", sort=False):
                y, p = (target[column].to_numpy(dtype=np.float64) for column in ("y", "p"))
                parts[name].append(net_benefit(y, p, at))
                if name == learner:
                    parts["everybody"].append(net_benefit(y, np.ones_like(p), at))
        for name, each in parts.items():
            found[name].append(np.mean(each, axis=0) if each else np.full(len(at), np.nan))
    gaps = np.array(found[learner]) - np.array(found[reference])
    rows: list[dict[str, Any]] = []
    for place, threshold in enumerate(THRESHOLDS):
        gap = resampled(gaps[:, place], *material.sizes)
        ends = (np.nan, np.nan) if material.one_split else (gap.low, gap.high)
        row = {"threshold": threshold, "everybody": float(np.mean(found["everybody"], axis=0)[place])}
        row |= {"reference": float(np.nanmean(found[reference], axis=0)[place])}
        row |= {"learner": float(np.nanmean(found[learner], axis=0)[place])}
        rows.append(row | {"difference": gap.mean, "difference_low": ends[0], "difference_high": ends[1]})
    return pd.DataFrame(rows)
