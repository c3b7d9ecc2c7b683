"""Splits of a study: seeds, folds that cover everybody once, environments that nobody trained on."""

from __future__ import annotations

import numpy as np
import pytest

from gdsfd.errors import InputError
from gdsfd.fusion_study.contexts import contexts
from gdsfd.graph.from_cohort import graph_from_cohort
from tests.cohort_factory import make_cohort


@pytest.fixture(scope="module")
def graph():
    return graph_from_cohort(make_cohort(200))


def splits(case) -> np.ndarray:
    return np.array(case.make()["patient"].split)


def test_folds_cover_every_subject_once_for_each_seed(graph):
    made = contexts(graph, (0, 4), folds=3)
    assert [case.seed for case in made] == [0, 1, 2, 12, 13, 14]
    subjects = np.array(graph["patient"].subject)
    for own in (made[:3], made[3:]):
        tested = np.stack([splits(case) == "test" for case in own])
        assert (tested.sum(0) == 1).all()
        for each in tested:
            assert not set(subjects[each]) & set(subjects[~each])
    assert (splits(made[0]) != splits(made[3])).any()


def test_environments_are_left_out_once_per_seed(graph):
    environment = np.array(graph["patient"].environment)
    plain, folded = contexts(graph, (1,), None, True), contexts(graph, (1,), 3, True)
    assert plain[0].holdout is None
    assert {case.seed for case in folded if case.holdout is not None} == {3}
    for case in (*plain[1:], *folded[3:]):
        np.testing.assert_array_equal(splits(case) == "test", environment == case.holdout)
    assert len(plain) == len(folded) - 2 == 1 + len(set(environment))


def test_a_spec_is_read_anew_for_each_fold(tmp_path):
    import gdsfd

    gdsfd.simulate(tmp_path, patients=100, seed=0)
    made = contexts(tmp_path / "spec.toml", (0,), folds=2)
    first, second = (splits(case) == "test" for case in made)
    np.testing.assert_array_equal(first, ~second)


def test_one_fold_is_refused(graph):
    with pytest.raises(InputError, match="at least 2 folds, got 1"):
        contexts(graph, (0,), folds=1)
