"""Resampling subjects: weights, figures against scikit-learn, coverage, clusters, pairing."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, log_loss, precision_score, recall_score, roc_auc_score

from gdsfd.evaluation.metrics import bootstrap as module
from gdsfd.evaluation.metrics.bootstrap import SubjectBootstrap
from gdsfd.evaluation.metrics.estimate import percentile_interval
from tests.evaluation.scores import made


def test_patients_of_a_subject_come_together_and_as_many_subjects_are_drawn_as_there_are():
    subject = ["a", "b", "b", "c", "a", "d"]
    bootstrap = SubjectBootstrap(subject, 50, seed=1)
    assert (bootstrap.counts.sum(1) == 4).all()
    ((_, weights),) = bootstrap.weights(np.arange(6))
    assert (weights[:, 0] == weights[:, 4]).all()
    assert (weights[:, 1] == weights[:, 2]).all()
    assert len(np.unique(weights, axis=0)) > 10


def test_every_figure_equals_scikit_learn_on_the_repeated_patients():
    y, p = made(60)
    bootstrap = SubjectBootstrap([f"s{row // 2}" for row in range(60)], 10, seed=0)
    figures = bootstrap.figures(y, p, np.arange(60), threshold=0.4)
    for resample, counts in enumerate(bootstrap.counts):
        rows = np.repeat(np.arange(60), counts[bootstrap.code])
        drawn_y, drawn_p = y[rows], p[rows]
        flagged = drawn_p >= 0.4
        expected = {
            "auroc": roc_auc_score(drawn_y, drawn_p),
            "brier": brier_score_loss(drawn_y, drawn_p),
            "log_loss": log_loss(drawn_y, drawn_p),
            "calibration_gap": drawn_p.mean() - drawn_y.mean(),
            "tpr": recall_score(drawn_y, flagged),
            "fpr": flagged[drawn_y == 0].mean(),
            "ppv": precision_score(drawn_y, flagged),
            "flagged": flagged.mean(),
        }
        assert {name: figures[name][resample] for name in expected} == pytest.approx(expected)


def test_same_seed_same_resamples_and_the_global_generator_is_left_alone():
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    first, second, other = (SubjectBootstrap(list("abcdef"), 30, seed).counts for seed in (3, 3, 4))
    assert (first == second).all()
    assert (first != other).any()
    assert (np.random.get_state()[1] == state).all()  # noqa: NPY002


def test_chunks_change_nothing(monkeypatch):
    y, p = made(50)
    bootstrap = SubjectBootstrap([str(row) for row in range(50)], 40)
    whole = bootstrap.figures(y, p, np.arange(50), 0.3)
    monkeypatch.setattr(module, "CHUNK", 130)
    parts = bootstrap.figures(y, p, np.arange(50), 0.3)
    for name in whole:
        np.testing.assert_allclose(parts[name], whole[name])


def test_a_slice_uses_the_weights_of_the_whole_split():
    y, p = made(100)
    bootstrap = SubjectBootstrap([str(row) for row in range(100)], 30)
    rows = np.arange(0, 100, 3)
    figures = bootstrap.figures(y[rows], p[rows], rows)
    weights = bootstrap.counts[7][bootstrap.code][rows].astype(float)
    assert figures["auroc"][7] == pytest.approx(roc_auc_score(y[rows], p[rows], sample_weight=weights))


def test_resamples_without_positives_are_left_out_and_none_at_all_gives_no_interval():
    y = np.array([1.0] + [0.0] * 20)
    bootstrap = SubjectBootstrap([str(row) for row in range(21)], 200)
    values = bootstrap.figures(y, np.linspace(1, 0, 21), np.arange(21))["auroc"]
    assert 40 < np.isnan(values).sum() < 120
    assert percentile_interval(values) == (1.0, 1.0)
    assert np.isnan(percentile_interval(np.full(100, np.nan))).all()


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    truth_y, truth_p = made(200_000, seed=99)
    truth = roc_auc_score(truth_y, truth_p)
    covered = 0
    for seed in range(120):
        y, p = made(250, seed=seed)
        bootstrap = SubjectBootstrap([str(row) for row in range(250)], 200, seed)
        low, high = percentile_interval(bootstrap.figures(y, p, np.arange(250), metrics=["auroc"])["auroc"])
        covered += low <= truth <= high
    assert 106 <= covered <= 119  # 120 x 0.95 = 114, standard deviation 2.4


def test_copies_of_a_patient_add_no_certainty_when_subjects_are_resampled():
    y, p = made(150)
    subject = [str(row) for row in range(150)]

    def width(y, p, subject):
        values = SubjectBootstrap(subject, 800).figures(y, p, np.arange(len(y)), metrics=["auroc"])["auroc"]
        low, high = percentile_interval(values)
        return high - low

    once = width(y, p, subject)
    clustered = width(np.tile(y, 4), np.tile(p, 4), subject * 4)
    naive = width(np.tile(y, 4), np.tile(p, 4), [str(row) for row in range(600)])
    assert clustered == pytest.approx(once, rel=0.05)
    assert naive == pytest.approx(once / 2, rel=0.2)


def test_paired_differences_are_tighter_than_unpaired_ones():
    y, p = made(400)
    other = np.clip(p + np.random.default_rng(5).normal(0, 0.03, 400), 0, 1)
    bootstrap = SubjectBootstrap([str(row) for row in range(400)], 500)
    own = bootstrap.figures(y, p, np.arange(400), metrics=["auroc"])["auroc"]
    paired = own - bootstrap.figures(y, other, np.arange(400), metrics=["auroc"])["auroc"]
    assert paired.std() < 0.4 * own.std()


def test_nobody():
    figures = SubjectBootstrap([], 5).figures(np.empty(0), np.empty(0), np.empty(0, dtype=np.int64))
    assert all(np.isnan(values).all() and len(values) == 5 for values in figures.values())
