"""Calibration at one time: predicted risks beside what Kaplan-Meier curves of like patients show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gdsfd.evaluation.survival.kaplan_meier import kaplan_meier

__all__ = ["CalibrationGroup", "calibration_groups", "excess_risk", "groups_by_risk"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CalibrationGroup:
    """Patients with risks near each other.

    Args:
        patients: How many.
        predicted: Their mean predicted risk.
        observed: One less the Kaplan-Meier estimate among them; NaN where none of them is followed that long.
    """

    patients: int
    predicted: float
    observed: float


def groups_by_risk(risk: Floats, groups: int) -> list[NDArray[np.int64]]:
    """Rows of patients from the lowest risks to the highest, in groups of one size; fewer groups of few patients."""
    order = np.argsort(risk, kind="stable")
    return [part for part in np.array_split(order, min(groups, len(order))) if len(part)]


def calibration_groups(
    time: Floats, event: Floats, risk: Floats, at: float, groups: int = 10
) -> list[CalibrationGroup]:
    """Tenths of the patients by risk.

    Args:
        time: Times of event or end of follow-up; [n].
        event: 1 = event, 0 = censored; [n].
        risk: Predicted chance to have had the event by ``at``; [n].
        at: The time.
        groups: How many.
    """
    found = []
    for rows in groups_by_risk(risk, groups):
        followed = bool((time[rows] >= at).any()) or bool((event[rows] == 1).all())
        curve = kaplan_meier(time[rows], event[rows])
        observed = 1 - float(curve.at(np.array([at]))[0, 0]) if followed else float("nan")
        found.append(CalibrationGroup(len(rows), float(risk[rows].mean()), observed))
    return found


def excess_risk(time: Floats, event: Floats, risk: Floats, at: float, weights: Floats | None = None) -> Floats:
    """Mean predicted risk less the observed one (one less Kaplan-Meier), in each resample; [R].

    NaN where nobody is followed to ``at``: a curve that ends before says nothing of it.

    Args:
        time: Times of event or end of follow-up; [n].
        event: 1 = event, 0 = censored; [n].
        risk: Predicted chance to have had the event by ``at``; [n].
        at: The time.
        weights: How often each patient counts in each resample; [R, n]; default: once, in one.
    """
    weights = np.ones((1, len(time))) if weights is None else weights
    free = kaplan_meier(time, event, weights).at(np.array([at]))[:, 0]
    known = (weights @ (time >= at).astype(np.float64) > 0) | (free == 0)
    observed = np.where(known, 1 - free, np.nan)
    total = weights.sum(1)
    mean = np.divide(weights @ risk, total, out=np.full(len(weights), np.nan), where=total > 0)
    return np.asarray(mean - observed, dtype=np.float64)
