"""How far the pattern of missing modalities follows from what is always observed, and weights that undo it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch_geometric.data import HeteroData

from gdsfd.errors import InputError
from gdsfd.graph.availability import facts_of_graph
from gdsfd.nn.adjustment.pattern_map import PatternMap
from gdsfd.training.suspects.stratified_subject_folds import stratified_subject_folds

__all__ = ["PatternPropensity", "pattern_propensity"]

_STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
_FOLDS = 5
_SURE = 2.0  # standard errors by which covariates must lower the cross-entropy out of fold to be taken to tell anything
_FAR = 5.0  # standard deviations at which covariates are cut: one typing error must not carry a weight

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class PatternPropensity:
    """Weights of patients, and where they come from.

    Args:
        weight: Of all the graph's patients; mean 1 over training patients. float [N]
        cross_entropy_gain: How much the covariates lower the cross-entropy of the pattern out of fold, in nats; 0 where
            they do not, and weights are then 1.
        effective: Training patients that the weighted ones are worth: (sum of weights)^2 / sum of squared weights.
        clipped: Share of training patients whose weight was cut.
        always: The modalities that the covariates are of.
        patterns: The patterns told apart, over all modalities; bool [P, K].
    """

    weight: Tensor
    cross_entropy_gain: float
    effective: float
    clipped: float
    always: tuple[str, ...]
    patterns: Tensor


def pattern_propensity(
    graph: HeteroData,
    table: tuple[NDArray[np.float32], Sequence[str]],
    rows: Tensor,
    least: int = 50,
    clip: float = 10.0,
    always: float = 0.99,
) -> PatternPropensity:
    r"""Stabilised inverse-propensity-of-pattern weights.

    .. math:: w_i = \frac{P(m_i)}{P(m_i \mid \tilde x_i)}

    with :math:`m` the pattern of the modalities that are sometimes missing, rare ones merged into their nearest
    (:class:`~gdsfd.nn.adjustment.pattern_map.PatternMap`), and :math:`\tilde x` the features of the others. Weighted
    patients have patterns that do not follow from :math:`\tilde x`.

    :math:`P(m \mid \tilde x)` is a multinomial ridge logistic regression. A training patient's probability comes from a
    fit without the patient's fold (subjects stay together); the strength is the one with the least cross-entropy out of
    fold, and where that is not two standard errors below that of the plain shares all weights are 1. Other patients get
    the probabilities of a fit on all training patients. Labels are not read, and nothing is fitted on other rows.

    Args:
        graph: The graph.
        table: Features of all its patients as :func:`gdsfd.graph.flatten.flatten` gives them: matrix [N, F] and
            names.
        rows: Training rows, int64.
        least: Training patients that a pattern needs to be told apart; at least 10.
        clip: Largest weight before they are brought to mean 1.
        always: Share of training patients from which on a modality counts as always observed.

    Raises:
        InputError: No modality is always observed, there is no training patient, or the table is of other patients.

    References:
        Our formulation (METHODS 2.3); weights for missing-data patterns by their probability go back to Robins,
        Rotnitzky and Zhao (JASA 1994), stabilised ones to Robins, Hernán and Brumback (Epidemiology 2000).
    """
    facts = facts_of_graph(graph)
    presence, names, fit = facts.presence, facts.modalities, rows.numpy()
    if not fit.size:
        raise InputError("pattern propensity: there is no training patient; give rows of the split 'train'")
    share = presence[fit].mean(0)
    observed = share >= always
    if not observed.any():
        most = int(share.argmax())
        raise InputError(
            f"pattern propensity: no modality is present for at least {always:.0%} of the training patients, so "
            f"nothing can tell the pattern; the most frequent is {names[most]!r} with {share[most]:.1%}. Leave these "
            "weights out, lower always=, or declare a table that everybody has (age, sex) as a modality"
        )
    kinds = PatternMap()
    varying = torch.from_numpy(presence & ~observed)
    kinds.fit(varying[rows], max(least, 2 * _FOLDS))
    pattern = kinds(varying).numpy()
    kept = kinds.kept | torch.from_numpy(observed)
    covariates = _standardised(_covariates(table, names, presence, observed), fit)
    subject = np.unique(np.asarray(facts.subject, dtype=object).astype(str), return_inverse=True)[1]
    chance, overall, gain = _chances(covariates, pattern, fit, subject, len(kept))
    ratio = overall[pattern] / np.take_along_axis(chance, pattern[:, None], 1).squeeze(1)
    weight = ratio.clip(max=clip)
    weight = weight / weight[fit].mean()
    return PatternPropensity(
        torch.from_numpy(weight).float(),
        gain,
        float(weight[fit].sum() ** 2 / np.square(weight[fit]).sum()),
        float((ratio[fit] > clip).mean()),
        tuple(name for name, there in zip(names, observed) if there),
        kept,
    )


def _covariates(
    table: tuple[NDArray[np.float32], Sequence[str]],
    names: Sequence[str],
    presence: NDArray[np.bool_],
    observed: NDArray[np.bool_],
) -> Floats:
    """The columns of the modalities that are always observed, NaN for the few patients without; [N, F].

    Each modality's columns begin with its presence flag, which is part of the pattern and left out here.
    """
    matrix, columns = table
    starts = {column: place for place, column in enumerate(columns) if column.endswith(" (present)")}
    wanted = [f"{name} (present)" for name in names]
    if len(matrix) != len(presence) or [column for column in starts if column in wanted] != wanted:
        raise InputError(
            f"pattern propensity: expected the table that flatten(graph) gives, {len(presence)} patients with columns "
            f"for {', '.join(names)}; got {len(matrix)} rows and {len(columns)} columns"
        )
    ends = [*(starts[name] for name in wanted[1:]), len(columns)]
    parts = []
    for number, name in enumerate(wanted):
        if observed[number]:
            part = matrix[:, starts[name] + 1 : ends[number]].astype(np.float64)
            part[~presence[:, number]] = np.nan
            parts.append(part)
    return np.concatenate(parts, axis=1)


def _standardised(covariates: Floats, fit: Numbers) -> Floats:
    """Holes filled with the training mean, columns with training mean 0 and variance 1; those that vary."""
    mine = covariates[fit]
    measured = np.isfinite(mine)
    count = measured.sum(0)
    filled = np.where(measured, mine, 0.0)
    mean = filled.sum(0) / np.maximum(count, 1)
    variance = np.where(measured, np.square(mine - mean), 0.0).sum(0) / np.maximum(count, 1)
    varies = variance > 1e-12 * np.maximum(np.square(mean), 1.0)
    scaled = (covariates[:, varies] - mean[varies]) / np.sqrt(variance[varies])
    return np.clip(np.nan_to_num(scaled, nan=0.0), -_FAR, _FAR)


def _chances(
    covariates: Floats, pattern: Numbers, fit: Numbers, subject: Numbers, kinds: int
) -> tuple[Floats, Floats, float]:
    """P(m | x) of all patients [N, kinds], P(m) among training patients [kinds], and what x tells in nats."""
    own = pattern[fit]
    overall = np.bincount(own, minlength=kinds) / len(fit)
    nothing = np.tile(overall, (len(pattern), 1))
    people = [np.unique(subject[fit][own == kind]).size for kind in range(kinds)]
    if kinds < 2 or not covariates.shape[1] or min(people) < _FOLDS:
        return nothing, overall, 0.0
    splits = stratified_subject_folds(own, subject[fit], _FOLDS)
    plain = -np.log(overall[own])
    least, best, chosen = plain, nothing, None
    for strength in _STRENGTHS:
        held_out = np.zeros((len(fit), kinds))
        for inside, outside in splits:
            held_out[outside] = _fitted(covariates[fit[inside]], own[inside], strength, covariates[fit[outside]], kinds)
        entropies = -np.log(np.take_along_axis(held_out, own[:, None], 1).squeeze(1))
        if entropies.mean() < least.mean():
            least, chosen = entropies, strength
            best = nothing.copy()
            best[fit] = held_out
        elif chosen is not None:
            break  # weaker penalties are slower, and worse from here on
    gains = plain - least
    if chosen is None or gains.mean() < _SURE * gains.std() / len(gains) ** 0.5:
        return nothing, overall, 0.0
    others = np.setdiff1d(np.arange(len(pattern)), fit)
    if others.size:
        best[others] = _fitted(covariates[fit], own, chosen, covariates[others], kinds)
    return best, overall, float(gains.mean())


def _fitted(inputs: Floats, kind: Numbers, strength: float, asked: Floats, kinds: int) -> Floats:
    """Probabilities of all patterns for the patients asked for; one that was not seen gets next to none."""
    from sklearn.linear_model import LogisticRegression  # slow to import

    model = LogisticRegression(C=strength, max_iter=500).fit(inputs, kind)
    chance = np.zeros((len(asked), kinds))
    chance[:, model.classes_] = model.predict_proba(asked)
    return chance.clip(1e-6)
