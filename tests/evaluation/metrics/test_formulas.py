"""Figures of one target against scikit-learn, and what happens where they are undefined."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn import metrics as sk

from gdsfd.errors import InputError
from gdsfd.evaluation.metrics.formulas import auprc, auroc, brier, check_probabilities, log_loss
from tests.evaluation.scores import made


@pytest.mark.parametrize("ties", [False, True])
def test_equal_to_scikit_learn(ties):
    y, p = made(200, ties=ties)
    assert auroc(y, p) == pytest.approx(sk.roc_auc_score(y, p))
    assert auprc(y, p) == pytest.approx(sk.average_precision_score(y, p))
    assert brier(y, p) == pytest.approx(sk.brier_score_loss(y, p))
    assert log_loss(y, np.clip(p, 0.01, 0.99)) == pytest.approx(sk.log_loss(y, np.clip(p, 0.01, 0.99)))


def test_a_sure_and_wrong_answer_costs_a_finite_loss():
    assert log_loss(np.array([1.0]), np.array([0.0])) == pytest.approx(-math.log(1e-7))


@pytest.mark.parametrize("y", [[], [1.0, 1.0], [0.0]])
def test_ranking_is_nan_and_not_zero_without_both_classes(y):
    y = np.array(y)
    assert math.isnan(auroc(y, y))
    assert math.isnan(auprc(y, y))


def test_means_of_nobody_are_nan():
    empty = np.empty(0)
    assert math.isnan(brier(empty, empty))
    assert math.isnan(log_loss(empty, empty))


def test_logits_are_refused_with_rows_and_advice():
    with pytest.raises(
        InputError, match=r"concat, split 'test'.*between 0 and 1, got 2\.5, -1\.0.*\(first rows 1, 2\).*sigmoid"
    ):
        check_probabilities(np.array([0.5, 2.5, -1.0]), "concat, split 'test'")
    with pytest.raises(InputError, match="nan"):
        check_probabilities(np.array([[0.5, 0.5], [np.nan, 0.5]]), "x")


def test_rounding_beyond_one_is_forgiven():
    assert check_probabilities(np.array([1 + 1e-7, -1e-7]), "x").tolist() == [1.0, 0.0]


def test_scores_that_cannot_be_ranked_are_refused():
    for figure in (auroc, auprc):
        with pytest.raises(InputError, match="expected finite numbers, got nan"):
            figure(np.array([0.0, 1.0, 1.0]), np.array([0.1, np.nan, 0.9]))
