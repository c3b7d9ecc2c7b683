"""What clustered patients are worth."""

from __future__ import annotations

import numpy as np
import pytest

from gdsfd.evaluation.intervals.effective_size import (
    effective_size,
    kish_size,
    patients_by_subject,
    subjects_of,
    sums_by_subject,
)


def test_the_bound_by_hand():
    assert kish_size(np.array([4, 4, 4, 9])) == pytest.approx(16 / (9 + 1))
    assert kish_size(np.array([], dtype=int)) == 0
    assert subjects_of(np.array([4, 4, 9])) == 2


def test_few_subjects_are_taken_at_the_bound_and_many_at_their_design_effect():
    values = np.random.default_rng(0).integers(0, 2, 400).astype(float)
    pairs = np.arange(400) // 2
    assert effective_size(values[:40], pairs[:40]) == 20
    independent = effective_size(values, pairs)
    alike = effective_size(np.repeat(values[:200], 2), pairs)
    assert independent > 340
    assert alike == pytest.approx(200, rel=0.01)
    assert effective_size(np.ones(400), pairs) == 200
    assert effective_size(values, np.arange(400)) == 400


def test_subjects_are_those_with_patients_in_the_order_of_their_numbers():
    cluster, values = np.array([7, 2, 7, 9, 2, 7]), np.array([1.0, 2.0, 4.0, 8.0, 16.0, -5.0])
    assert patients_by_subject(cluster).tolist() == [2, 3, 1]
    assert sums_by_subject(values, cluster).tolist() == [18.0, 0.0, 8.0]
    assert subjects_of(cluster) == 3
    assert subjects_of(cluster[:0]) == 0
