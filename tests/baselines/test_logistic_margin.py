"""Logistic regression beside the margin: a known answer, the penalty's choice, and files."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from gdsfd.baselines.logistic_margin import LogisticMargin
from gdsfd.baselines.margin_baseline import Sample, log_loss_beside
from gdsfd.baselines.standardiser import Standardiser
from tests.baselines.biased_tables import CAUSE, biased_table

SEEN = np.array([0, 1])


def sample(n: int, seed: int, follows: float = 0.9) -> Sample:
    x, y, suspect = biased_table(n, seed, follows)
    log_odds = np.log(follows / (1 - follows))
    return Sample(x, y, np.where(suspect == 1, log_odds, -log_odds)[:, None])


def test_beside_the_margin_the_cause_is_left_and_the_shortcut_is_not():
    train, tuning = sample(20_000, 0), sample(4000, 1)
    model = LogisticMargin(strengths=(0.01, 1.0))
    found = model._fit_beside(train, tuning, SEEN, 2)
    assert model.chosen == [1.0]
    per_unit = found.coefficient[0] / found.standardise.scale[found.standardise.varying]
    # Cutting at the 1st and 99th percentile bends the line a little.
    np.testing.assert_allclose(per_unit, [CAUSE, 0.0], atol=0.08)
    plain = LogisticRegression().fit(train.x, train.y)
    assert plain.coef_[0, 1] > 0.5  # without the margin the shortcut counts


def test_the_penalty_is_the_one_with_the_least_loss_beside_the_margin():
    train, tuning = sample(120, 2), sample(200, 3)
    strengths = (0.001, 0.01, 0.1, 1.0)
    losses = {}
    for strength in strengths:
        one = LogisticMargin(strengths=(strength,))._fit_beside(train, tuning, SEEN, 2)
        scores = one.standardise(tuning.x) @ one.coefficient.T + one.intercept
        raw = scores[:, 0] + tuning.offset[:, 0]
        losses[strength] = float(np.mean(np.log1p(np.exp(np.where(tuning.y == 1, -raw, raw)))))
        assert log_loss_beside(scores, tuning) == pytest.approx(losses[strength])
    model = LogisticMargin(strengths=strengths)
    model._fit_beside(train, tuning, SEEN, 2)
    assert model.chosen == [min(losses, key=losses.__getitem__)]
    assert len({round(loss, 6) for loss in losses.values()}) == 4
    model._fit_beside(train, None, SEEN, 2)
    assert model.chosen[1] == strengths[1]


def test_a_table_that_says_nothing_has_no_model():
    train = sample(60, 0)
    assert LogisticMargin()._fit_beside(Sample(np.ones_like(train.x), train.y, train.offset), None, SEEN, 2) is None


def test_columns_are_scaled_as_those_of_the_plain_one():
    train = sample(300, 4)
    found = LogisticMargin()._fit_beside(train, None, SEEN, 2)
    np.testing.assert_array_equal(found.standardise(train.x), Standardiser(train.x)(train.x))
