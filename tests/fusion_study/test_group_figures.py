from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from gdsfd.evaluation.metrics.ranking import weighted_ranking
from gdsfd.fusion_study import group_figures
from gdsfd.fusion_study.group_figures import figures_of_groups, weighted_auroc


@pytest.fixture
def scored() -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    random = np.random.default_rng(2)
    y = (random.random(60) < 0.4).astype(float)
    return y, np.round(y / 2 + random.random(60), 1), random  # with ties


@pytest.mark.parametrize("chunk", [1, 130, 10**6])
def test_weighted_areas_are_those_of_the_full_ranking(scored, chunk, monkeypatch):
    monkeypatch.setattr(group_figures, "CHUNK", chunk)
    y, p, random = scored
    weights = random.random((7, 60))
    found = weighted_auroc(y, p, weights)
    assert found == pytest.approx(weighted_ranking(y, p, weights)[0])
    assert found[0] == pytest.approx(roc_auc_score(y, p, sample_weight=weights[0]))


@pytest.mark.parametrize("chunk", [1, 130, 10**6])
def test_figures_of_groups_by_loops(scored, chunk, monkeypatch):
    monkeypatch.setattr(group_figures, "CHUNK", chunk)
    y, p, random = scored
    codes = random.integers(-1, 3, (5, 60)).astype(np.int16)
    counts = random.integers(0, 3, (5, 60)).astype(np.uint8)
    plain, drawn = figures_of_groups(y, p, 0.7, codes, 3), figures_of_groups(y, p, 0.7, codes, 3, counts)
    one_labelling = figures_of_groups(y, p, 0.7, codes[:1], 3, counts)
    for row in range(5):
        for group in range(3):
            for found, own in (
                (plain, np.flatnonzero(codes[row] == group)),
                (drawn, np.repeat(np.arange(60), np.where(codes[row] == group, counts[row], 0))),
                (one_labelling, np.repeat(np.arange(60), np.where(codes[0] == group, counts[row], 0))),
            ):
                up, down = own[y[own] == 1], own[y[own] == 0]
                figures = roc_auc_score(y[own], p[own]), (p[up] >= 0.7).mean(), (p[down] >= 0.7).mean()
                assert found[:, row, group] == pytest.approx(figures)


def test_absent_groups_classes_and_thresholds(scored):
    y, p, _ = scored
    codes = np.where(y == 1, 0, 1)[None]
    found = figures_of_groups(y, p, 0.7, codes, 3)
    assert np.isnan(found[0]).all()
    assert np.isnan(found[1:]).tolist() == [[[False, True, True]], [[True, False, True]]]
    assert np.isnan(figures_of_groups(y, p, np.nan, codes * 0, 1)[1:]).all()
    assert figures_of_groups(np.empty(0), np.empty(0), 0.5, np.empty((2, 0)), 1).shape == (3, 2, 1)
