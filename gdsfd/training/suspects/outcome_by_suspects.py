"""How much the declared suspects alone tell of the outcome, and the weights and margins that follow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gdsfd.training.suspects.stratified_subject_folds import stratified_subject_folds
from gdsfd.training.suspects.suspect_codes import SuspectCodes

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

__all__ = [
    "FOLDS",
    "STRENGTHS",
    "SURE",
    "OutcomeBySuspects",
    "indicators_of",
    "normalised_weights",
    "outcome_by_suspects",
]

STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
FOLDS = 5
SURE = 2.0  # standard errors by which suspects must lower the cross-entropy out of fold to be taken to tell anything


class OutcomeBySuspects:
    r"""Margins :math:`\log P(y | s) - \log P(y)` and weights :math:`P(y) / P(y | s)` of all patients.

    Args:
        margin: Per output, on the scale of logits; float [N, outputs].
        weight: Clipped, mean 1 over labelled training patients; as the labels.
        cross_entropy_gain: Per outcome, how much the suspects lower the cross-entropy of training labels out of fold,
            in nats; 0 where they do not, and margins are then 0.
        clipped: Per outcome, the share of labelled training patients whose weight was cut.
        effective: Per outcome, how many training patients the weighted ones are worth: (sum of weights)^2 / sum of
            squared weights.
    """

    def __init__(
        self,
        margin: Tensor,
        weight: Tensor,
        cross_entropy_gain: list[float],
        clipped: Sequence[float] = (),
        effective: Sequence[float] = (),
    ) -> None:
        self.margin = margin
        self.weight = weight
        self.cross_entropy_gain = cross_entropy_gain
        self.clipped, self.effective = tuple(clipped), tuple(effective)


def outcome_by_suspects(
    y: Tensor, suspects: SuspectCodes, rows: Tensor, subjects: list[str], num_outputs: int, clip: float = 5.0
) -> OutcomeBySuspects:
    r"""Fits :math:`P(y | s)` on training patients: a ridge logistic regression on the codes, additive over suspects.

    Additive, because several suspects together have more combinations than patients. A training patient's probability
    comes from a fit without the patient's fold, so that a stratum of few patients does not explain its own labels; the
    strength of the ridge is the one with the least cross-entropy out of fold, and where that is not two standard errors
    below that of the overall share, suspects are taken to tell nothing: margins are 0 and weights 1. Rows
    outside train never enter; they get the probabilities of a fit on all training patients.

    Args:
        y: Labels of all patients; NaN or -1 = unlabelled.
        suspects: Codes of all patients.
        rows: Training rows, int64.
        subjects: Subject of every patient: folds keep them together.
        num_outputs: Outcomes, or classes.
        clip: Largest weight before normalising.

    With one suspect and many patients per code the weights are those of importance weighting by counts,
    :math:`P(y) P(s) / P(y, s)`.

    References:
        Our formulation (stratum weights, with smoothing by cross-validation in place of a fixed count).
    """
    total = y.size(0)
    weight = torch.ones_like(y, dtype=torch.float32)
    margin = torch.zeros(total, num_outputs)
    if not suspects.sizes:
        return OutcomeBySuspects(margin, weight, [0.0] * (1 if not y.is_floating_point() else y.size(1)))
    indicators = indicators_of(suspects)
    fit = rows.numpy()
    group = np.unique(np.asarray(subjects, dtype=object).astype(str), return_inverse=True)[1]
    cross_entropy_gain = []
    if not y.is_floating_point():
        chance, overall, gain = _chances(indicators, y.numpy(), fit[y.numpy()[fit] >= 0], group, num_outputs)
        cross_entropy_gain.append(gain)
        margin = torch.from_numpy(np.log(chance) - np.log(overall)).float()
        label = y.clamp(min=0).unsqueeze(1)
        ratio = torch.from_numpy(overall)[y.clamp(min=0)] / torch.from_numpy(chance).gather(1, label).squeeze(1)
        weight, cut, worth = normalised_weights(ratio.float(), y >= 0, rows, clip)
        return OutcomeBySuspects(margin, weight, cross_entropy_gain, (cut,), (worth,))
    clipped, effective = [], []
    for column in range(y.size(1)):
        label = y[:, column]
        known = fit[~torch.isnan(label).numpy()[fit]]
        chance, overall, gain = _chances(indicators, np.nan_to_num(label.numpy()).astype(int), known, group, 2)
        cross_entropy_gain.append(gain)
        logit = np.log(chance[:, 1] / chance[:, 0]) - np.log(overall[1] / overall[0])
        margin[:, column] = torch.from_numpy(logit).float()
        positive = torch.from_numpy(overall[1] / chance[:, 1]), torch.from_numpy(overall[0] / chance[:, 0])
        ratio = torch.where(label > 0.5, *positive).float()
        weight[:, column], cut, worth = normalised_weights(ratio, ~torch.isnan(label), rows, clip)
        clipped.append(cut)
        effective.append(worth)
    return OutcomeBySuspects(margin, weight, cross_entropy_gain, clipped, effective)


def indicators_of(suspects: SuspectCodes) -> NDArray[np.float64]:
    """0/1 columns of all codes; a missing or unseen code has none."""
    parts = [
        (suspects.codes[:, [column]].numpy() == np.arange(size)[None]).astype(float)
        for column, size in enumerate(suspects.sizes)
    ]
    return np.concatenate(parts, axis=1)


def _chances(
    indicators: NDArray[np.float64],
    y: NDArray[np.int64],
    fit: NDArray[np.int64],
    group: NDArray[np.int64],
    classes: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """P(y | s) of all patients [N, classes], P(y) [classes], and what s tells in nats."""
    counts = np.bincount(y[fit], minlength=classes)
    overall = (counts + 1.0) / (counts.sum() + classes)
    nothing = np.tile(overall, (len(y), 1))
    present = np.flatnonzero(counts)
    if present.size < 2 or counts[present].min() < 2 * FOLDS:
        return nothing, overall, 0.0
    splits = stratified_subject_folds(y[fit], group[fit], FOLDS)
    if any(np.unique(y[fit[inside]]).size < present.size for inside, _ in splits):
        return nothing, overall, 0.0
    plain = _entropies(nothing[fit], y[fit])
    least, best, chosen = plain, nothing, None
    for strength in STRENGTHS:
        held_out = np.zeros((len(fit), classes)) + 1e-12
        for inside, outside in splits:
            held_out[np.ix_(outside, present)] = _fitted(
                indicators[fit[inside]], y[fit[inside]], strength
            ).predict_proba(indicators[fit[outside]])
        entropies = _entropies(held_out, y[fit])
        if entropies.mean() < least.mean():
            best = nothing.copy()
            best[fit] = held_out.clip(1e-6)
            least, chosen = entropies, strength
    gains = plain - least
    if chosen is None or gains.mean() < SURE * gains.std() / len(gains) ** 0.5:
        return nothing, overall, 0.0
    others = np.setdiff1d(np.arange(len(y)), fit)
    if others.size:
        best[others] = 1e-6
        best[np.ix_(others, present)] = (
            _fitted(indicators[fit], y[fit], chosen).predict_proba(indicators[others]).clip(1e-6)
        )
    return best, overall, float(gains.mean())


def _fitted(inputs: NDArray[np.float64], y: NDArray[np.int64], strength: float) -> LogisticRegression:
    from sklearn.linear_model import LogisticRegression  # slow to import

    rows, counts = np.unique(np.column_stack([inputs, y]), axis=0, return_counts=True)  # of patients who are alike
    return LogisticRegression(C=strength, max_iter=500, tol=1e-6).fit(rows[:, :-1], rows[:, -1].astype(int), counts)


def _entropies(chance: NDArray[np.float64], y: NDArray[np.int64]) -> NDArray[np.float64]:
    return -np.log(np.take_along_axis(chance, y[:, None], 1).squeeze(1).clip(1e-12))


def normalised_weights(ratio: Tensor, labelled: Tensor, rows: Tensor, clip: float) -> tuple[Tensor, float, float]:
    """Ratios clipped and brought to mean 1 over labelled training patients; the share cut, and what they are worth."""
    used = rows[labelled[rows]]
    if not used.numel():
        return torch.ones_like(ratio), 0.0, 0.0
    weight = ratio.clamp(max=clip)
    weight = torch.where(labelled, weight / weight[used].mean(), 1.0)
    own = weight[used].double()
    return weight, float((ratio[used] > clip).double().mean()), float(own.sum() ** 2 / own.square().sum())
