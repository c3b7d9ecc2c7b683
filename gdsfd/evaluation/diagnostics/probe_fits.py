"""How well a label can be read from a code, out of fold: a linear and a boosted probe."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdsfd.baselines.lightgbm_trees import load_lightgbm
from gdsfd.evaluation.diagnostics.probe_folds import Numbers

__all__ = ["Floats", "areas_within_folds", "boosted_scores", "linear_scores"]

Floats = NDArray[np.float64]
#: Training rows and others, [.., components].
Components = tuple[Floats, Floats]

#: Ridge of the linear probe: of a standardised code a weight of 1 costs 0.01 nats per patient.
RIDGE = 0.02
#: Most steps of the linear probe, and the largest change of a weight at which it stops.
STEPS, SMALL = 60, 1e-3
#: Components of the code that the boosted probe reads.
COMPONENTS = 12
#: The boosted probe: LightGBM, which on some thousand rows takes a third of the time of scikit-learn's.
BOOSTED: dict[str, Any] = {
    "learning_rate": 0.2,
    "num_leaves": 6,
    "min_data_in_leaf": 10,
    "max_bin": 32,
    "verbosity": -1,
}
ROUNDS = 30


def linear_scores(code: Floats, labels: NDArray[np.int8], folds: Numbers) -> NDArray[np.float32]:
    r"""Out-of-fold scores of a ridge logistic regression for many labels at once.

    Every label shares the code, so all are fitted together. Their Hessians differ, but all lie below
    :math:`\tfrac14 X^\top X + \lambda n I`, which is factored once per fold; steps with it never raise the loss
    (Böhning and Lindsay 1988), and each is two matrix products for all labels. Momentum, started anew where it points
    uphill, makes them few.

    Args:
        code: One row per patient; standardised inside the folds. [n, d]
        labels: 1, 0, or -1 = not known (neither fitted on nor without a score); [n, L].
        folds: Fold of each patient; [n].

    Returns:
        Scores, [n, L].

    References:
        D. Böhning, B. Lindsay. Monotonicity of quadratic-approximation algorithms. AISM 1988.
    """
    scores = np.zeros(labels.shape, dtype=np.float32)
    for fold in np.unique(folds):
        outside, inside = folds != fold, folds == fold
        train, test = _standardised(code, outside, inside)
        if not len(train):
            continue
        known = (labels[outside] >= 0).astype(np.float32)
        target = np.where(labels[outside] > 0, 1, 0).astype(np.float32)
        count = np.maximum(known.sum(0), 1)
        share = np.clip((target * known).sum(0) / count, 1e-3, 1 - 1e-3)
        weight = _fitted(train, target, known, count, share)
        scores[inside] = test @ weight
    return scores


def _fitted(
    train: NDArray[np.float32],
    target: NDArray[np.float32],
    known: NDArray[np.float32],
    count: NDArray[np.float32],
    share: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Weights [d, L]; the intercept follows the label's share, which ranks nothing."""
    width = train.shape[1]
    bound = train.T @ train / 4 + RIDGE * float(count.max(initial=1)) * np.eye(width, dtype=np.float32)
    inverse = np.linalg.inv(bound.astype(np.float64)).astype(np.float32)
    ridge = (RIDGE * count).astype(np.float32)
    intercept = np.log(share / (1 - share)).astype(np.float32)
    weight = np.zeros((width, target.shape[1]), dtype=np.float32)
    ahead, before, momentum = weight, weight, 1.0
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-(train @ ahead + intercept)))
        gradient = train.T @ ((target - chance) * known) - ridge * ahead
        step = inverse @ gradient
        weight = ahead + step
        if np.abs(step).max(initial=0) < SMALL:
            break
        uphill = (gradient * (weight - before)).sum() < 0
        following = 1.0 if uphill else (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = weight + np.float32((momentum - 1) / following) * (weight - before)
        before, momentum = weight, following
    return weight


def boosted_scores(
    code: Floats, label: Numbers, folds: Numbers, seed: int = 0, rotated: dict[bytes, Components] | None = None
) -> Floats:
    """Out-of-fold probabilities of a small gradient boosting on the leading components of a code.

    Args:
        code: One row per patient; standardised and rotated to components inside the folds. [n, d]
        label: Classes from 0, or -1 = not known; [n].
        folds: Fold of each patient; [n].
        seed: Of the boosting.
        rotated: Components that earlier labels of the same code and folds were asked of, by who was fitted on; new ones
            are added.

    Returns:
        One column per class; NaN in a fold whose complement has one class only. [n, classes]

    Raises:
        InputError: LightGBM cannot be loaded.
    """
    lightgbm = load_lightgbm()
    rotated = {} if rotated is None else rotated
    scores = np.full((len(label), int(label.max(initial=0)) + 1), np.nan)
    for fold in np.unique(folds):
        outside, inside = (folds != fold) & (label >= 0), folds == fold
        present = np.unique(label[outside])
        if len(present) < 2:
            continue
        key = np.packbits([outside, inside]).tobytes()
        if key not in rotated:
            rotated[key] = _components(code, outside, inside)
        train, test = rotated[key]
        given = {**BOOSTED, "num_threads": 1, "deterministic": True, "seed": seed}
        several = len(present) > 2
        given |= {"objective": "multiclass", "num_class": len(present)} if several else {"objective": "binary"}
        data = lightgbm.Dataset(train, np.searchsorted(present, label[outside]), params=given)
        # Kept as it was trained: else it is written out as text and read again.
        chance = lightgbm.train(given, data, ROUNDS, keep_training_booster=True).predict(test)
        scores[np.ix_(inside, present)] = chance if several else np.stack([1 - chance, chance], axis=1)
        missing = np.setdiff1d(np.arange(scores.shape[1]), present)
        scores[np.ix_(inside, missing)] = 0.0
    return scores


def _components(code: Floats, outside: NDArray[np.bool_], inside: NDArray[np.bool_]) -> Components:
    """Leading components of training and other rows."""
    train, test = _standardised(code, outside, inside)
    axes = np.linalg.eigh((train.T @ train).astype(np.float64))[1][:, -COMPONENTS:]
    return train @ axes, test @ axes


def _standardised(
    code: Floats, outside: NDArray[np.bool_], inside: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Training and other rows by the training rows' means and deviations; constant channels are 0."""
    if not outside.any():
        empty = np.zeros((0, code.shape[1]), dtype=np.float32)
        return empty, empty
    center, spread = code[outside].mean(0), code[outside].std(0)
    varies = spread > 1e-6 * (1 + np.abs(center))
    scale = np.where(varies, 1 / np.where(varies, spread, 1.0), 0.0)
    train, test = ((code[rows] - center) * scale for rows in (outside, inside))
    return train.astype(np.float32), test.clip(-10, 10).astype(np.float32)


def areas_within_folds(scores: NDArray[np.floating], labels: NDArray[np.int8], folds: Numbers) -> tuple[Floats, Floats]:
    """Areas under the ROC curve over the pairs of patients of one fold, ties counted half.

    Scores of two folds come from two fits. Across them a label with a low share outside a fold has a high one inside,
    and a code that knows nothing would come out below one half.

    Args:
        scores: [n, L].
        labels: 1, 0 or -1 = left out; [n, L].
        folds: [n].

    Returns:
        Areas, NaN where no fold has both labels, and the numbers of pairs; each [L].
    """
    won = np.zeros(labels.shape[1])
    pairs = np.zeros(labels.shape[1])
    for fold in np.unique(folds):
        inside = folds == fold
        label, score = labels[inside], scores[inside]
        usable = np.isfinite(score).all(0)
        positive, negative = ((label == value).astype(np.float64) for value in (1, 0))
        kept = label >= 0
        ranks = _ranks(np.where(kept & usable, score, np.inf))
        ups, downs = positive.sum(0), negative.sum(0)
        # Rows left out have the highest scores, so they lie above all others and change no rank that is summed.
        won += np.where(usable, (ranks * positive).sum(0) - ups * (ups + 1) / 2, 0.0)
        pairs += np.where(usable, ups * downs, 0.0)
    return np.divide(won, pairs, out=np.full_like(won, np.nan), where=pairs > 0), pairs


def _ranks(scores: NDArray[np.floating]) -> Floats:
    """Ranks from 1 down each column, ties at their mean."""
    order = np.argsort(scores, axis=0, kind="stable")
    ordered = np.take_along_axis(scores, order, 0)
    size = len(scores)
    place = np.arange(1, size + 1, dtype=np.float64)[:, None]
    new = np.ones_like(ordered, dtype=bool)
    new[1:] = ordered[1:] != ordered[:-1]
    first = np.maximum.accumulate(np.where(new, place, 0), axis=0)
    last_of = np.ones_like(new)
    last_of[:-1] = new[1:]
    last = np.minimum.accumulate(np.where(last_of, place, size + 1)[::-1], axis=0)[::-1]
    ranks = np.empty_like(first)
    np.put_along_axis(ranks, order, (first + last) / 2, 0)
    return ranks
