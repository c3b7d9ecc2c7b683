"""Areas against scikit-learn, with ties and with one score for all."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from gdsfd.baselines.ranking import average_precision, roc_area
from gdsfd.errors import InputError


@pytest.mark.parametrize("decimals", [0, 1, 8])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_areas_are_those_of_scikit_learn(decimals, dtype):
    rng = np.random.default_rng(decimals)
    y, p = rng.integers(0, 2, 80).astype(dtype), np.round(rng.random(80), decimals)
    assert roc_area(y, p) == pytest.approx(roc_auc_score(y, p), abs=1e-12)
    assert average_precision(y, p) == pytest.approx(average_precision_score(y, p), abs=1e-12)


def test_one_score_for_all_ranks_at_random():
    y = np.array([1.0, 0.0, 0.0, 0.0])
    assert roc_area(y, np.full(4, 0.3)) == 0.5
    assert average_precision(y, np.full(4, 0.3)) == 0.25


@pytest.mark.parametrize("figure", [roc_area, average_precision])
def test_scores_that_cannot_be_ranked_are_refused(figure):
    with pytest.raises(InputError, match="expected finite numbers, got inf"):
        figure(np.array([0.0, 1.0]), np.array([np.inf, 0.5]))
