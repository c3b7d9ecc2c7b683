"""Weights and areas that the guard's evidence rests on, recounted with loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.training.model_selection.evidence import mean_area
from gdsfd.training.model_selection.leave_one_environment_out import _environment_weights
from tests.cohort_factory import make_cohort


@pytest.mark.parametrize("outcomes", ["binary", "multiclass"])
def test_environment_weights_by_smoothed_counts(outcomes):
    graph = graph_from_cohort(make_cohort(200, outcomes=outcomes, environments=3, unlabelled=0.0))
    patient, rows = graph["patient"], torch.arange(150)
    label = [int(patient.y[row, 0] if outcomes == "binary" else patient.y[row]) for row in range(150)]
    expected = []
    for row in range(150):
        same = [other for other in range(150) if patient.environment[other] == patient.environment[row]]
        share = sum(each == label[row] for each in label) / 150
        here = (sum(label[other] == label[row] for other in same) + 5 * share) / (len(same) + 5)
        expected.append(min(share / here, 5.0))
    np.testing.assert_allclose(_environment_weights(graph, rows), expected)


def test_under_the_weights_environments_tell_little_of_the_outcome():
    """With many patients the smoothing is nothing: weighted shares of positives are alike everywhere."""
    graph = graph_from_cohort(make_cohort(3000, environments=2, unlabelled=0.0))
    patient = graph["patient"]
    generator = np.random.default_rng(0)
    first = np.array([name == patient.environment[0] for name in patient.environment])
    patient.y = torch.from_numpy(generator.random(3000) < np.where(first, 0.7, 0.3)).float().unsqueeze(1)
    weight = _environment_weights(graph, torch.arange(3000))
    y = patient.y.numpy()[:, 0]
    shares = [np.average(y[inside], weights=weight[inside]) for inside in (first, ~first)]
    assert shares[0] == pytest.approx(shares[1], abs=0.01)


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
