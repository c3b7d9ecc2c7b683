"""Logistic regression: the penalty is chosen on tuning rows, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from gdsfd.baselines.logistic import Logistic
from gdsfd.baselines.standardiser import Standardiser

STRENGTHS = (0.001, 0.01, 0.1, 1.0)


def drawn(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Thirty columns, one of them with holes, of which two say something of three classes."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 30)).astype(np.float32)
    y = np.digitize(x[:, 0] + x[:, 1] + rng.normal(size=n), [-1.0, 1.0])
    x[rng.random(n) < 0.3, 2] = np.nan
    return x, y


def fitted(tuning: tuple[np.ndarray, np.ndarray], **options) -> tuple[Logistic, np.ndarray]:
    model = Logistic(strengths=STRENGTHS, **options)
    found = model._fit_one(*drawn(120, 0), *tuning, 3)
    assert found is not None
    return model, found.predict_proba(drawn(50, 9)[0])


def by_hand(strength: float) -> tuple[Standardiser, LogisticRegression]:
    x, y = drawn(120, 0)
    standardise = Standardiser(x)
    return standardise, LogisticRegression(C=strength, max_iter=300).fit(standardise(x), y)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_penalty_is_the_one_with_the_least_loss_on_tuning_rows(seed):
    x, y = drawn(150, seed)
    losses = {}
    for strength in STRENGTHS:
        standardise, model = by_hand(strength)
        losses[strength] = log_loss(y, model.predict_proba(standardise(x)))
    best = min(losses, key=losses.__getitem__)
    chosen, answer = fitted((x, y))
    assert chosen.chosen == [best]
    standardise, model = by_hand(best)
    np.testing.assert_allclose(answer, model.predict_proba(standardise(drawn(50, 9)[0])))


def test_too_few_tuning_patients_of_a_class_choose_nothing():
    x, y = drawn(150, 1)
    few = np.concatenate([np.flatnonzero(y == 0)[:9], np.flatnonzero(y > 0)])
    assert fitted((x[few], y[few]))[0].chosen == [STRENGTHS[1]]
    assert fitted((x[few], y[few]), min_tuning=9)[0].chosen != [0.0]
    assert fitted((x[:0], y[:0]))[0].chosen == [STRENGTHS[1]]


def test_a_class_that_training_has_not_seen_is_not_judged_by():
    x, y = drawn(150, 2)
    model = Logistic(strengths=STRENGTHS)
    seen_x, seen_y = drawn(120, 0)
    found = model._fit_one(seen_x[seen_y < 2], seen_y[seen_y < 2], x, y, 3)
    assert found is not None
    assert (found.predict_proba(x)[:, 2] == 0).all()
    without = Logistic(strengths=STRENGTHS)
    without._fit_one(seen_x[seen_y < 2], seen_y[seen_y < 2], x[y < 2], y[y < 2], 3)
    assert model.chosen == without.chosen


def test_columns_that_do_not_vary_are_nothing_to_fit():
    y = np.tile([0, 1], 30)
    assert Logistic()._fit_one(np.ones((60, 2), np.float32), y, np.ones((60, 2), np.float32), y, 2) is None
