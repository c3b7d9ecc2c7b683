"""How much the declared suspects tell of a time to an event: margins and weights of its intervals, fitted as one."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gdsfd.cohort.schema import CohortSchema
from gdsfd.training.suspects.outcome_by_suspects import (
    FOLDS,
    STRENGTHS,
    SURE,
    OutcomeBySuspects,
    indicators_of,
    normalised_weights,
    outcome_by_suspects,
)
from gdsfd.training.suspects.stratified_subject_folds import stratified_subject_folds
from gdsfd.training.suspects.suspect_codes import SuspectCodes

__all__ = ["hazard_by_suspects", "told_by_suspects"]

Floats = NDArray[np.float64]
#: Scale of the columns of intervals: the ridge is on the suspects, and hardly on the shares of intervals.
_FREE = 30.0


def told_by_suspects(
    schema: CohortSchema, y: Tensor, suspects: SuspectCodes, rows: Tensor, subjects: list[str], clip: float = 5.0
) -> OutcomeBySuspects:
    """What suspects tell of a graph's outcome: of labels one by one, of the intervals of a time to an event together.

    Args:
        schema: The graph's.
        y: Labels of all patients.
        suspects: Codes of all patients.
        rows: Training rows, int64.
        subjects: Subject of every patient.
        clip: Largest weight before normalising.
    """
    if schema.survival is not None:
        return hazard_by_suspects(y, suspects, rows, subjects, clip)
    return outcome_by_suspects(y, suspects, rows, subjects, schema.num_outputs, clip)


def hazard_by_suspects(
    y: Tensor, suspects: SuspectCodes, rows: Tensor, subjects: list[str], clip: float = 5.0
) -> OutcomeBySuspects:
    r"""Fits the hazard given the suspects, :math:`\operatorname{logit} h_j(s) = a_j + b(s)`, on training patients.

    One interval has few events. Taken alone, a suspect that matters in all of them might tell nothing in some by
    chance, and its margin be left out there; so they are fitted together, with one effect of the suspects (proportional
    odds of the hazards), and together it is judged whether suspects tell anything. Folds, ridge and the threshold of
    two standard errors, over patients, are those of
    :func:`~gdsfd.training.suspects.outcome_by_suspects.outcome_by_suspects`.

    Args:
        y: Labels of the intervals; float [N, J], NaN = not at risk, or not known.
        suspects: Codes of all patients.
        rows: Training rows, int64.
        subjects: Subject of every patient: folds keep them together.
        clip: Largest weight before normalising.

    References:
        Our formulation; the model is the grouped-time one of Cox, JRSS B 1972, section 6.
    """
    total, intervals = y.shape
    nothing = OutcomeBySuspects(torch.zeros(total, intervals), torch.ones(total, intervals), [0.0] * intervals)
    if not suspects.sizes:
        return nothing
    label = y.double().numpy()
    known = np.isfinite(label)
    fit = rows.numpy()[known[rows.numpy()].any(1)]
    inputs, place = np.unique(indicators_of(suspects), axis=0, return_inverse=True)
    place = place.reshape(-1)
    events, at_risk = (label[fit] == 1).sum(0), known[fit].sum(0)
    overall = (events + 1.0) / (at_risk + 2.0)  # [J]
    happened = (label[fit] == 1).any(1).astype(np.int64)
    group = np.unique(np.asarray(subjects, dtype=object).astype(str), return_inverse=True)[1][fit]
    people = [np.unique(group[happened == each]).size for each in (0, 1)]
    if min(people) < 2 * FOLDS:
        return nothing
    folds = stratified_subject_folds(happened, group, FOLDS)
    plain = _entropies(np.tile(overall, (len(fit), 1)), label[fit])
    least, best, chosen = plain, np.zeros_like(plain), None
    for strength in STRENGTHS:
        held_out = np.zeros((len(fit), intervals))
        for inside, outside in folds:
            model = _fitted(inputs, place[fit[inside]], label[fit[inside]], strength)
            held_out[outside] = model[place[fit[outside]]]
        entropies = _entropies(held_out, label[fit])
        if entropies.sum() < least.sum():
            least, best, chosen = entropies, held_out, strength
    gains = (plain - least).sum(1)
    if chosen is None or gains.mean() < SURE * gains.std() / len(gains) ** 0.5:
        return nothing
    chance = _fitted(inputs, place[fit], label[fit], chosen)[place]
    chance[fit] = best
    margin = torch.from_numpy(_logit(chance) - _logit(overall)).float()
    ratio = np.where(label == 1, overall / chance, (1 - overall) / (1 - chance))
    parts = [
        normalised_weights(torch.from_numpy(ratio[:, j]).float(), torch.from_numpy(known[:, j]), rows, clip)
        for j in range(intervals)
    ]
    weight = torch.stack([one for one, _, _ in parts], dim=1)
    gain = [float((plain - least)[:, j].sum() / max(1, at_risk[j])) for j in range(intervals)]
    return OutcomeBySuspects(margin, weight, gain, [cut for _, cut, _ in parts], [worth for *_, worth in parts])


def _fitted(inputs: Floats, place: NDArray[Any], label: Floats, strength: float) -> Floats:
    """Hazards of every combination of codes in every interval; [combinations, J].

    Args:
        inputs: 0/1 columns of the codes of each combination; [combinations, S].
        place: Combination of each patient that is fitted on; [n].
        label: Their labels, NaN = not at risk; [n, J].
        strength: Inverse of the ridge.
    """
    from sklearn.linear_model import LogisticRegression  # slow to import

    combinations, intervals = len(inputs), label.shape[1]
    counts = np.zeros((combinations, intervals, 2))
    for answer in (0, 1):
        np.add.at(counts[:, :, answer], place, (label == answer).astype(float))
    own, interval, value = np.nonzero(counts)
    columns = np.concatenate([inputs[own], _FREE * np.eye(intervals)[interval]], axis=1)
    model = LogisticRegression(C=strength, max_iter=500, tol=1e-6, fit_intercept=False)
    model.fit(columns, value, counts[own, interval, value])
    by_suspects, by_interval = np.split(model.coef_[0], [inputs.shape[1]])
    logit = (inputs @ by_suspects)[:, None] + _FREE * by_interval[None]
    return np.asarray(np.clip(1 / (1 + np.exp(-logit)), 1e-6, 1 - 1e-6), dtype=np.float64)


def _entropies(chance: Floats, label: Floats) -> Floats:
    """Cross-entropy of each label in nats, 0 where there is none; [n, J]."""
    loss = -np.log(np.where(label == 1, chance, 1 - chance).clip(1e-12))
    return np.where(np.isfinite(label), loss, 0.0)


def _logit(chance: Floats) -> Floats:
    return np.asarray(np.log(chance) - np.log1p(-chance), dtype=np.float64)
