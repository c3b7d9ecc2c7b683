"""Weights and areas that the guard's evidence rests on, recounted with loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.loader import rows_of
from gdsfd.training.model_selection.evidence import concordance_of_models, mean_area, strata_weights, tuning_weights
from tests.cohort_factory import make_cohort


def test_mean_area_over_what_has_both_labels():
    generator = np.random.default_rng(1)
    y = torch.from_numpy((generator.random((50, 3)) < 0.4).astype(np.float32))
    y[:, 1] = 0.0
    y[3, 0] = math.nan
    scores = generator.random((50, 3))
    known = np.arange(50) != 3
    expected = np.mean([roc_auc_score(y[known, 0], scores[known, 0]), roc_auc_score(y[:, 2], scores[:, 2])])
    assert mean_area(y, scores) == pytest.approx(expected)
    assert math.isnan(mean_area(torch.zeros(50, 3), scores))
    single = np.stack([1 - scores[:, 0], scores[:, 0]], axis=1)
    assert mean_area(y[:, :1], single) == pytest.approx(roc_auc_score(y[known, 0], scores[known, 0]))
    classes = torch.from_numpy(generator.integers(0, 3, 50))
    expected = np.mean([roc_auc_score(classes == each, scores[:, each]) for each in range(3)])
    assert mean_area(classes, scores) == pytest.approx(expected)


def test_a_weighted_area_counts_pairs_by_both_weights() -> None:
    y, score = torch.tensor([[1.0], [0.0], [1.0], [0.0], [float("nan")]]), np.array([0.9, 0.7, 0.4, 0.2, 0.5])
    weight = np.array([1.0, 2.0, 3.0, 0.5, 9.0])
    scores = np.stack([1 - score, score], axis=1)
    pairs = [(a, b) for a in (0, 2) for b in (1, 3)]
    total = sum(weight[a] * weight[b] for a, b in pairs)
    expected = sum(weight[a] * weight[b] * (score[a] > score[b]) for a, b in pairs) / total
    assert mean_area(y, scores, weight) == pytest.approx(expected)
    assert mean_area(y, scores) == 0.75


def test_beside_strata_that_are_a_practice_they_tell_nothing_among_weighted_patients() -> None:
    stratum = np.arange(400) % 2
    y = torch.tensor([[float(row % 10 < (7 if row % 2 else 3))] for row in range(400)])
    y[:7] = float("nan")
    share = np.eye(2)[stratum]
    weight = strata_weights(y, share)
    known = y[:, 0].isfinite().numpy()
    assert ((weight > 0) == known).all()
    rates = [np.average(y[known & (stratum == u), 0], weights=weight[known & (stratum == u)]) for u in range(2)]
    assert rates[0] == pytest.approx(rates[1], abs=0.03)
    graph = graph_from_cohort(make_cohort(60))
    rows = rows_of(graph, "tuning")
    shares = np.random.default_rng(0).dirichlet([1, 1], 60)
    own = strata_weights(graph["patient"].y[rows], shares[rows.numpy()])
    assert tuning_weights(graph, ("pattern",), rows, shares).tolist() == own.tolist()


def test_each_of_several_outcomes_has_its_own_weights() -> None:
    random = np.random.default_rng(0)
    y = torch.from_numpy(random.integers(0, 2, (60, 2)).astype(np.float32))
    y[:5, 1] = float("nan")
    first, second = random.random((60, 2)), random.random((60, 2))
    weight = random.integers(0, 3, (60, 2)).astype(float)
    subject = [str(row) for row in range(60)]
    found = concordance_of_models(y, first, second, [""] * 60, subject, weight)
    pairs = right = 0.0
    for column in range(2):
        own, score, share = y[:, column].numpy(), first[:, column], weight[:, column]
        for i in np.flatnonzero(own == 1):
            for j in np.flatnonzero(own == 0):
                pairs += share[i] * share[j]
                right += share[i] * share[j] * ((score[i] > score[j]) + (score[i] == score[j]) / 2)
    assert found.reference == pytest.approx(right / pairs, abs=0.02)
    alike = concordance_of_models(y, first, second, [""] * 60, subject, np.ones((60, 2)))
    plain = concordance_of_models(y, first, second, [""] * 60, subject)
    assert (alike.reference, alike.other) == pytest.approx((plain.reference, plain.other))
