"""Concordance of models on the same patients, recounted pair by pair."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gdsfd.training.model_selection.compared_patients import ComparedPatients


def concordance(y, score, group, weight):
    """Weighted pairs of a group that differ in the outcome and are ranked rightly; a tie counts half."""
    total = right = 0.0
    for i in range(len(y)):
        for j in range(len(y)):
            if group[i] == group[j] and (y[i], y[j]) == (1, 0):
                total += weight[i] * weight[j]
                right += weight[i] * weight[j] * ((score[i] > score[j]) + 0.5 * (score[i] == score[j]))
    return right / total


def test_any_two_of_the_models_against_a_recount() -> None:
    random = np.random.default_rng(0)
    y = (random.random(50) < 0.4).astype(float)
    group = [f"g{row % 3}" for row in range(50)]
    weight = random.random(50)
    p, q, r = random.random((3, 50)).round(1)
    both = {name: np.stack([1 - each, each], 1) for name, each in {"reference": p, "debiased": q}.items()}
    subject = [str(row) for row in range(50)]
    patients = ComparedPatients(torch.from_numpy(y[:, None]), both, group, subject, weight)
    found = patients.gain()
    assert found.reference == pytest.approx(concordance(y, p, group, weight))
    assert found.other == pytest.approx(concordance(y, q, group, weight))
    more = patients.with_scores({"boosting": np.stack([1 - r, r], 1)}).gain("debiased", "boosting")
    assert (more.reference, more.other) == pytest.approx((found.other, concordance(y, r, group, weight)))
    assert set(patients.scores) == {"reference", "debiased"}
    some = np.array([40, 3, 3, 17, 8, 9, 25, 31, 44, 2])
    few = patients.taken(some).gain()
    kept = [group[row] for row in some]
    assert few.other == pytest.approx(concordance(y[some], q[some], kept, weight[some]))
