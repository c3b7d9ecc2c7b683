"""Folds and permutations by person."""

from __future__ import annotations

import numpy as np

from gdsfd.evaluation.diagnostics.probe_folds import permuted_rows, subject_folds


def people(n: int = 200, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, n // 2, n)


def test_a_person_is_in_one_fold_and_folds_are_even():
    subject = people()
    folds = subject_folds(subject, 5, np.random.default_rng(1))
    assert all(len(set(folds[subject == one])) == 1 for one in np.unique(subject))
    persons = [len(np.unique(subject[folds == fold])) for fold in range(5)]
    assert max(persons) - min(persons) <= 1


def test_folds_follow_the_generator_only():
    subject = people()
    first, again, other = (subject_folds(subject, 5, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_permutations_move_whole_persons():
    subject = people()
    rows = permuted_rows(subject, 7, np.random.default_rng(0))
    for order in rows:
        assert sorted(order) == list(range(len(subject)))
        for one in np.unique(subject):  # the patients of a person take labels of one person with as many patients
            taken = subject[order[subject == one]]
            assert len(set(taken)) == 1
            assert (subject == taken[0]).sum() == (subject == one).sum()
    assert (rows[0] != rows[1]).any()


def test_single_patients_and_nobody():
    assert permuted_rows(np.zeros(0, np.int64), 3, np.random.default_rng(0)).shape == (3, 0)
    rows = permuted_rows(np.arange(50), 1, np.random.default_rng(0))[0]
    assert (rows != np.arange(50)).sum() > 40
