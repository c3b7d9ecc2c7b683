r"""Boosted trees that some members of an ensemble start from.

A network beside trees learns what they leave: with the trees' log-odds :math:`b(x)` it minimises the cross-entropy of
:math:`z(x) + b(x)` and predicts by the same sum. In training :math:`b` is out of fold, since trees know the labels that
they were fitted on; for everybody else it is the mean over folds. Where a mode trains beside a margin or found strata,
so are the trees (weights and offsets per stratum), and neither keeps the bias. Trees do not bear absence that they
never saw: every training patient stands there once as they are and once without a share of their modalities, with half
the weight each.

Our formulation; the sum is a step of stage-wise boosting with a network as the last learner (Friedman 2001), and
members with and without it are averaged.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gdsfd.baselines.boosting_margin import BoostingMargin
from gdsfd.baselines.boosting_strata import FEW_LEAVES, LEAST_SHARE
from gdsfd.baselines.cross_fitted_trees import CrossFittedTrees, log_odds
from gdsfd.baselines.flat_baseline import Classifier, Matrix, TrainingShares
from gdsfd.baselines.labels import Floats
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.losses import Targets
from gdsfd.training.suspects.stratified_subject_folds import stratified_subject_folds

__all__ = ["FOLDS", "boosted_start"]

Numbers = NDArray[np.int64]
#: Folds of the training patients.
FOLDS = 5
#: Most values of a column that splits are looked for between; 255 take twice as long and rank no better.
BINS = 63
#: Share of a training patient's modalities that its copy lacks.
HIDDEN = 0.3
#: Table, class numbers, a margin per class and weights of some patients.
_Rows = tuple[Matrix, Numbers, Floats, Floats]


def boosted_start(
    store: PatientStore,
    targets: Targets,
    rows: Mapping[str, Tensor],
    subjects: list[str],
    seed: int,
) -> tuple[CrossFittedTrees, Tensor]:
    """Fits trees on folds of the training patients; their number is chosen on tuning patients.

    Subjects stay whole. An outcome of which some class has fewer than two subjects gets its shares in training.

    Args:
        store: All the graph's patients.
        targets: Their labels, and the margin or found strata that are trained beside.
        rows: Rows of ``train`` and ``tuning``.
        subjects: Whom each of the graph's patients is; [N].
        seed: Of the trees.

    Returns:
        The trees, and log-odds of all the graph's patients, float32 [N, outputs]: of labelled training patients by
        trees that were fitted without them, of all others the mean over folds.
    """
    multiclass = store.schema.multiclass
    everybody = torch.arange(len(targets.y))
    features = store.flat(everybody)
    generator = torch.Generator().manual_seed(seed)
    kept = torch.rand(len(everybody), len(store.schema.names), generator=generator) >= HIDDEN
    poorer = store.flat(everybody, kept)
    _, subject = np.unique(np.asarray(subjects, dtype=str), return_inverse=True)
    models: list[list[Classifier]] = []
    outside: list[tuple[slice, Numbers, Floats]] = []
    place = 0
    for outcome in range(len(store.schema.outcomes)):
        samples = _Samples(features, poorer, targets, outcome, store.schema.num_outputs if multiclass else 2)
        train, tuning = (samples.labelled(rows[split].numpy()) for split in ("train", "tuning"))
        own: list[Classifier] = []
        columns = slice(place, place + (samples.classes if multiclass else 1))
        place = columns.stop
        for inside, left_out in _folds(samples.label[train], subject[train]):
            own.append(_grown(samples, train[inside], tuning, seed))
            score = log_odds(own[-1].predict_proba(features[train[left_out]]), multiclass)
            outside.append((columns, train[left_out], score))
        models.append(own)
    trees = CrossFittedTrees(models, multiclass)
    logits = trees.logits(features)
    for columns, patients, score in outside:
        logits[patients, columns] = score
    return trees, torch.from_numpy(logits)


class _Samples:
    """One outcome's patients as boosting takes them, once per stratum where there are some."""

    def __init__(self, features: Matrix, poorer: Matrix, targets: Targets, outcome: int, classes: int) -> None:
        y = targets.y
        self.features, self.poorer, self.classes = features, poorer, classes
        self.multiclass = not y.is_floating_point()
        number = torch.nan_to_num(y[:, outcome], nan=-1.0).long() if y.is_floating_point() else y
        self.label: Numbers = number.numpy()
        self.share: Floats | None = None
        if targets.strata_share is not None:
            assert targets.strata_margin is not None
            share = targets.strata_share
            self.share = (share if share.dim() == 2 else share[:, :, outcome]).double().numpy()
            self.margin = self._per_class(targets.strata_margin, outcome)  # [N, K, classes]
        elif targets.margin is not None:
            self.margin = self._per_class(targets.margin, outcome)  # [N, classes]
        else:
            self.margin = np.zeros((len(y), self.classes))

    def _per_class(self, margin: Tensor, outcome: int) -> Floats:
        own: Floats = margin.double().numpy()
        return own if self.multiclass else np.stack([np.zeros_like(own[..., outcome]), own[..., outcome]], axis=-1)

    def labelled(self, rows: Numbers) -> Numbers:
        return rows[self.label[rows] >= 0]

    def of(self, rows: Numbers) -> _Rows:
        """Table, classes, margins and weights, of patients as they are."""
        if self.share is None:
            return self.features[rows], self.label[rows], self.margin[rows], np.ones(len(rows))
        patient, stratum = np.nonzero(self.share[rows] >= LEAST_SHARE)
        own = rows[patient]
        return self.features[own], self.label[own], self.margin[own, stratum], self.share[own, stratum]

    def twice(self, rows: Numbers) -> _Rows:
        """The same, each patient also without some modalities, with half the weight each."""
        x, label, margin, weight = self.of(rows)
        patient = np.arange(len(rows)) if self.share is None else np.nonzero(self.share[rows] >= LEAST_SHARE)[0]
        return (
            np.concatenate([x, self.poorer[rows[patient]]]),
            np.tile(label, 2),
            np.tile(margin, (2, 1)),
            np.tile(weight / 2, 2),
        )


def _folds(label: Numbers, subject: Numbers) -> list[tuple[Numbers, Numbers]]:
    """Places inside and outside of each fold; where there cannot be two, one fold of all with nobody outside."""
    subjects = [np.unique(subject[label == each]).size for each in np.unique(label)]
    folds = min([FOLDS, *subjects])
    if len(subjects) < 2 or folds < 2:
        return [(np.arange(len(label)), np.zeros(0, dtype=np.int64))]
    return stratified_subject_folds(label, subject, folds)


def _grown(samples: _Samples, train: Numbers, tuning: Numbers, seed: int) -> Classifier:
    """Trees of some training patients, or the shares of classes among them where there is nothing to grow from."""
    label = samples.label[train]
    found: Classifier | None = None
    if min(np.bincount(label)[np.unique(label)], default=0) > 1 and np.unique(label).size > 1:
        boosting = BoostingMargin(seed)
        boosting.bins = BINS
        boosting.other_sizes = FEW_LEAVES if samples.share is not None else {}
        fitted, chosen = samples.twice(train), samples.of(tuning)
        found = boosting.fit_beside(fitted[:3], chosen[:3], samples.classes, (fitted[3], chosen[3]))
    if found is None:
        shares = np.bincount(label, minlength=samples.classes).astype(np.float64)
        return TrainingShares(shares / shares.sum() if shares.sum() else np.full(samples.classes, 1 / samples.classes))
    return found
