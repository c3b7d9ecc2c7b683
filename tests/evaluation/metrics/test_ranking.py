"""Weighted AUROC and average precision against scikit-learn's ``sample_weight``."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from gdsfd.evaluation.metrics.ranking import weighted_ranking
from tests.evaluation.scores import made


@pytest.mark.parametrize("ties", [False, True])
def test_equal_to_scikit_learn(ties):
    y, p = made(80, ties=ties)
    weights = np.random.default_rng(0).integers(0, 4, (20, 80)).astype(float)
    auroc, auprc = weighted_ranking(y, p, weights)
    for row, one, average in zip(weights, auroc, auprc):
        assert one == pytest.approx(roc_auc_score(y, p, sample_weight=row))
        assert average == pytest.approx(average_precision_score(y, p, sample_weight=row))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=12))
def test_equal_to_repeating_patients(patients):
    y, p, weight = (np.array(column, dtype=float) for column in zip(*patients))
    repeated = np.repeat(np.arange(len(y)), weight.astype(int))
    (auroc,), (auprc,) = weighted_ranking(y, p, weight[None])
    if len(set(y[repeated])) < 2:
        assert np.isnan(auroc)
        assert np.isnan(auprc)
    else:
        assert auroc == pytest.approx(roc_auc_score(y[repeated], p[repeated]))
        assert auprc == pytest.approx(average_precision_score(y[repeated], p[repeated]))


def test_nobody():
    auroc, auprc = weighted_ranking(np.empty(0), np.empty(0), np.empty((3, 0)))
    assert np.isnan(auroc).all()
    assert np.isnan(auprc).all()
    assert len(auroc) == 3
