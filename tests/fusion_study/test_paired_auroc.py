from __future__ import annotations

import math

import numpy as np
import pytest

from gdsfd.evaluation.intervals.auroc import delong_error
from gdsfd.fusion_study.paired_auroc import auroc_parts, error_by_subject, paired_auroc


@pytest.fixture
def scored() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(5)
    y = (random.random(120) < 0.3).astype(float)
    p = np.round(y + random.normal(0, 1, 120), 1)  # with ties
    return y, p, np.round(p + random.normal(0, 1, 120), 1), np.arange(120) // 2


def test_parts_by_counting_pairs(scored):
    y, p, _, _ = scored
    up, down = p[y == 1], p[y == 0]
    won = (up[:, None] > down) + 0.5 * (up[:, None] == down)
    area, parts = auroc_parts(y, p)
    assert area == pytest.approx(won.mean())
    assert parts[y == 1] == pytest.approx((won.mean(1) - area) / len(up))
    assert parts[y == 0] == pytest.approx((won.mean(0) - area) / len(down))


def test_the_error_of_one_area_is_delongs(scored):
    y, p, _, subject = scored
    assert error_by_subject(auroc_parts(y, p)[1], subject) == pytest.approx(delong_error(y, p, subject)[1])


def test_the_paired_error_is_near_that_of_drawing_subjects(scored):
    y, p, other, subject = scored
    random = np.random.default_rng(0)
    drawn = []
    for _ in range(400):
        rows = (2 * random.integers(0, 60, 60)[:, None] + [0, 1]).ravel()
        drawn.append(auroc_parts(y[rows], p[rows])[0] - auroc_parts(y[rows], other[rows])[0])
    found = paired_auroc(y, p, other, subject)
    assert found.error == pytest.approx(np.nanstd(drawn), rel=0.15)
    assert found.difference == pytest.approx(auroc_parts(y, p)[0] - auroc_parts(y, other)[0])
    positive = min(len(set(subject[y == 1])), len(set(subject[y == 0])))
    assert found.degrees == positive - 1


def test_one_class_has_no_area():
    assert math.isnan(paired_auroc(np.ones(3), np.arange(3.0), np.arange(3.0), np.arange(3)).difference)


def test_the_same_scores_differ_by_nothing(scored):
    y, p, _, subject = scored
    assert paired_auroc(y, p, p, subject)[:2] == (0.0, 0.0)
