from __future__ import annotations

import numpy as np
import pytest

from gdsfd.training.suspects.stratified_subject_folds import stratified_subject_folds


@pytest.mark.parametrize("stays", [1, 3])
def test_subjects_are_whole_classes_are_shared_out_and_everybody_is_outside_once(stays):
    random = np.random.default_rng(0)
    subject = random.permutation(np.repeat(np.arange(240), stays))
    label = (random.random(240) < 0.2).astype(int)[subject]
    folds = stratified_subject_folds(label, subject, 5)
    assert sorted(np.concatenate([outside for _, outside in folds]).tolist()) == list(range(len(label)))
    for inside, outside in folds:
        assert not set(inside) & set(outside)
        assert len(inside) + len(outside) == len(label)
        assert not set(subject[inside]) & set(subject[outside])
        assert label[outside].mean() == pytest.approx(label.mean(), abs=0.03)


def test_the_same_patients_get_the_same_folds():
    label, subject = np.tile([0, 1, 1], 20), np.arange(60)
    first, second = (stratified_subject_folds(label, subject, 4) for _ in range(2))
    assert all((a == b).all() for one, other in zip(first, second) for a, b in zip(one, other))
