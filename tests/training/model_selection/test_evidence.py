"""Weights and areas that the guard's evidence rests on, recounted with loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from gdsfd.training.model_selection.evidence import mean_area


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
