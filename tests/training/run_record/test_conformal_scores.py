from __future__ import annotations

import math

import numpy as np
import pytest

from gdsfd.errors import InputError
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.training.run_record.conformal_scores import ConformalScores, quantile_of, scores_of
from tests.cohort_factory import make_cohort


@pytest.mark.parametrize("n", [1, 5, 9, 10, 99, 100])
@pytest.mark.parametrize("alpha", [0.01, 0.1, 0.5])
def test_the_quantile_is_the_smallest_that_enough_scores_reach(n, alpha) -> None:
    scores = np.random.default_rng(n).uniform(size=n)
    needed = math.ceil((n + 1) * (1 - alpha) - 1e-9)
    reached = [each for each in np.sort(scores) if (scores <= each).sum() >= needed]
    assert quantile_of(scores, alpha) == (reached[0] if reached else math.inf)


def test_scores_are_one_less_the_probability_of_the_true_label() -> None:
    schema = graph_from_cohort(make_cohort(60)).schema
    y = np.array([[1.0], [0.0], [np.nan]])
    p = np.array([[0.3, 0.7], [0.8, 0.2], [0.5, 0.5]])
    found = scores_of(y, p, schema)
    np.testing.assert_allclose(found.scores[0], [0.2, 0.3])
    assert found.labels[0].tolist() == [0, 1]
    classes = graph_from_cohort(make_cohort(60, outcomes="multiclass")).schema
    found = scores_of(np.array([2, -1]), np.array([[0.1, 0.2, 0.7], [1.0, 0.0, 0.0]]), classes)
    np.testing.assert_allclose(found.scores[0], [0.3])
    several = graph_from_cohort(make_cohort(60, outcomes="multilabel")).schema
    width = len(several.outcomes)
    found = scores_of(np.ones((1, width)), np.full((1, width), 0.9), several)
    assert len(found.scores) == width
    np.testing.assert_allclose(found.scores[1], [0.1])


def test_damaged_arrays_are_refused() -> None:
    schema = graph_from_cohort(make_cohort(60)).schema
    good = ConformalScores((np.array([0.1]),), (np.array([1]),)).arrays("reference")
    assert ConformalScores.from_arrays(good, "reference", schema, "f").scores[0].tolist() == [0.1]
    for wrong in (
        {},
        {**good, "reference.0.score": np.array([1.5])},
        {**good, "reference.0.label": np.array([2])},
        {**good, "reference.0.score": np.array([np.nan])},
        {**good, "reference.0.score": np.array([0.1, 0.2])},
        {**good, "reference.0.score": np.array([0.1], dtype=np.float32)},
    ):
        with pytest.raises(InputError, match="f: damaged"):
            ConformalScores.from_arrays(wrong, "reference", schema, "f")
