"""The probes' fits against scikit-learn, and areas against pairs counted one by one."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from gdsfd.evaluation.diagnostics.probe_fits import RIDGE, areas_within_folds, boosted_scores, linear_scores


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    code = rng.normal(size=(400, 12)) @ rng.normal(size=(12, 30)) + rng.normal(size=30) * 5  # correlated, not centred
    truth = code @ rng.normal(size=30)
    labels = np.stack([truth > np.quantile(truth, share) for share in (0.5, 0.9)] + [rng.random(400) < 0.3], axis=1)
    return code, labels.astype(np.int8), rng.integers(0, 5, 400)


def test_all_labels_at_once_are_logistic_regressions(data):
    code, labels, folds = data
    labels = labels.copy()
    labels[::7, 0] = -1
    scores = linear_scores(code, labels, folds)
    for column in range(labels.shape[1]):
        for fold in range(5):
            train = (folds != fold) & (labels[:, column] >= 0)
            center, spread = code[folds != fold].mean(0), code[folds != fold].std(0)
            scaled = (code - center) / spread
            strength = 1 / (RIDGE * train.sum())
            oracle = LogisticRegression(C=strength, tol=1e-8, max_iter=2000).fit(scaled[train], labels[train, column])
            expected = scaled[folds == fold] @ oracle.coef_[0]
            # The intercept is held at the share's logit, which the slopes hardly feel.
            assert np.corrcoef(expected, scores[folds == fold, column])[0, 1] > 0.995


def test_a_constant_channel_and_one_label_are_no_trouble(data):
    code, labels, folds = data
    constant = np.concatenate([code, np.full((400, 1), 3.0)], axis=1)
    np.testing.assert_allclose(linear_scores(constant, labels, folds), linear_scores(code, labels, folds), atol=1e-4)
    alike = np.ones((400, 1), np.int8)
    scores = linear_scores(code, alike, folds)
    assert np.isfinite(scores).all()
    area, pairs = areas_within_folds(scores, alike, folds)
    assert np.isnan(area[0])
    assert pairs[0] == 0


def test_boosting_sees_what_is_not_linear():
    rng = np.random.default_rng(1)
    code = rng.normal(size=(800, 3)) * np.array([3.0, 1.0, 1.0])
    label = (np.abs(code[:, 0]) > 2).astype(np.int64)
    folds = rng.integers(0, 5, 800)
    labels = label[:, None].astype(np.int8)
    linear, _ = areas_within_folds(linear_scores(code, labels, folds), labels, folds)
    boosted, _ = areas_within_folds(boosted_scores(code, label, folds)[:, 1:], labels, folds)
    assert linear[0] < 0.6
    assert boosted[0] > 0.85


def test_boosting_with_a_level_missing_outside_a_fold():
    rng = np.random.default_rng(2)
    code, folds = rng.normal(size=(300, 4)), np.arange(300) % 5
    label = np.where(folds == 0, 2, rng.integers(0, 2, 300))  # level 2 only in fold 0
    scores = boosted_scores(code, label, folds)
    assert (scores[folds == 0, 2] == 0).all()
    assert np.isfinite(scores).all()


def test_components_that_are_kept_are_those_of_who_is_fitted_on(data):
    code, labels, folds = data
    some = labels[:, 0].astype(np.int64)
    some[::3] = -1
    kept = {}
    for label in (labels[:, 0], some, labels[:, 2]):
        again = boosted_scores(code, label.astype(np.int64), folds, rotated=kept)
        np.testing.assert_array_equal(again, boosted_scores(code, label.astype(np.int64), folds))
    assert len(kept) == 10  # five folds of all, five of those whose label is known


@pytest.mark.parametrize("ties", [False, True])
def test_areas_are_those_of_pairs_inside_folds(ties):
    rng = np.random.default_rng(3)
    scores = rng.normal(size=(120, 4))
    scores = np.round(scores, 1) if ties else scores
    labels = rng.integers(-1, 2, (120, 4)).astype(np.int8)
    folds = rng.integers(0, 3, 120)
    area, pairs = areas_within_folds(scores, labels, folds)
    for column in range(4):
        won = total = 0.0
        for fold in range(3):
            up, down = (scores[(folds == fold) & (labels[:, column] == value), column] for value in (1, 0))
            won += (up[:, None] > down).sum() + 0.5 * (up[:, None] == down).sum()
            total += up.size * down.size
        assert pairs[column] == total
        assert area[column] == pytest.approx(won / total)


def test_one_fold_is_scikit_learns_area():
    rng = np.random.default_rng(4)
    score, label = rng.normal(size=(90, 1)), rng.integers(0, 2, (90, 1)).astype(np.int8)
    area, _ = areas_within_folds(score, label, np.zeros(90, np.int64))
    assert area[0] == pytest.approx(roc_auc_score(label[:, 0], score[:, 0]))
