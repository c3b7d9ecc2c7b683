"""Which correction of risks is kept: the one that predicts tuning patients best who were left out of its fit."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from gdsfd.baselines.labels import Floats
from gdsfd.training.run_record.calibration import METHODS, Calibration, Correction
from gdsfd.training.run_record.isotonic_steps import fit_isotonic
from gdsfd.training.run_record.recalibration import fit_recalibration
from gdsfd.training.suspects.stratified_subject_folds import stratified_subject_folds

__all__ = ["choose_calibration"]

_log = logging.getLogger(__name__)
FOLDS = 5
#: Risks are kept this far from 0 and 1 in the loss.
_CLIP = 1e-6
_FIT: dict[str, Callable[[Floats, Floats], Correction]] = {"logistic": fit_recalibration, "isotonic": fit_isotonic}


def choose_calibration(outcome: str, method: str, y: Floats, p: Floats, subject: Sequence[str]) -> Calibration:
    """Fits a correction, or chooses one. Call it with tuning rows.

    ``auto`` takes the method of the lowest log loss over five folds of subjects: each fold is predicted by a correction
    that was fitted on the others. Doing nothing is one of the methods, and wins where they are equal. The corrections
    kept are then fitted on all rows. The same rows chose the epoch, so the network is a little better on them than on
    others; what a correction is worth has to be read from patients it has not seen.

    Args:
        outcome: The outcome's name.
        method: ``logistic``, ``isotonic`` or ``auto``.
        y: Labels, 0 or 1, NaN = unlabelled; one column, or one per class; [n, columns].
        p: Risks as the network gives them; [n, columns].
        subject: The persons; [n].

    Returns:
        The correction; ``none``, with the reason, where there are too few patients or no correction can be fitted.
    """
    known = np.isfinite(y).all(1)
    y, p, who = y[known], p[known], np.unique(np.asarray(subject, dtype=str)[known], return_inverse=True)[1]
    fitted: dict[str, tuple[Correction, ...]] = {}
    reasons: dict[str, str] = {}
    for name in METHODS[1:] if method == "auto" else (method,):
        corrections = tuple(_FIT[name](y[:, k], p[:, k]) for k in range(y.shape[1]))
        why = next((each.reason for each in corrections if each.reason), "")
        if why:
            reasons[name] = why
        else:
            fitted[name] = corrections
    losses = _cross_fitted(y, p, who, tuple(fitted))
    judged = [name for name in ("none", *fitted) if name in losses]
    if method == "auto":
        choice = min(judged, key=lambda name: losses[name]) if judged else "none"
    else:
        choice = method if method in fitted else "none"
    if method == "auto":
        few = "too few tuning patients to judge a correction on those left out of its fit"
        reasons |= dict.fromkeys((name for name in fitted if name not in losses), few)
    reason = "" if choice != "none" or len(judged) > 1 else "; ".join(dict.fromkeys(reasons.values()))
    if reason:
        _log.warning("%s: risks are not recalibrated: %s", outcome, reason)
    return Calibration(outcome, choice, fitted.get(choice, ()), losses, reason)


def _cross_fitted(y: Floats, p: Floats, who: NDArray[np.int64], methods: tuple[str, ...]) -> dict[str, float]:
    """Log loss by method, each fold predicted by a fit on the others; without methods that cannot be fitted there."""
    label = y.argmax(1) if y.shape[1] > 1 else y[:, 0].astype(np.int64)
    people = [len(np.unique(who[label == each])) for each in np.unique(label)]
    if not methods or len(people) < 2 or min(people) < FOLDS:
        return {}
    total: dict[str, float] = dict.fromkeys(("none", *methods), 0.0)
    for inside, outside in stratified_subject_folds(label, who, FOLDS):
        for name in list(total):
            given = Calibration("", name, _fits(name, y[inside], p[inside]))(p[outside])
            if not np.isfinite(given).all():
                del total[name]
                continue
            total[name] += _loss(y[outside], given)
    return {name: loss / len(y) for name, loss in total.items() if math.isfinite(loss)}


def _fits(name: str, y: Floats, p: Floats) -> tuple[Correction, ...]:
    return () if name == "none" else tuple(_FIT[name](y[:, k], p[:, k]) for k in range(y.shape[1]))


def _loss(y: Floats, p: Floats) -> float:
    """Sum of the log losses, nats."""
    given = np.clip(p, _CLIP, 1 - _CLIP)
    if y.shape[1] == 1:
        return float(-(y * np.log(given) + (1 - y) * np.log(1 - given)).sum())
    return float(-(y * np.log(given)).sum())
