from __future__ import annotations

import numpy as np

from gdsfd.fusion_study.group_labels import permuted_labels


def test_groups_keep_their_events_and_small_groups_their_patients():
    random = np.random.default_rng(0)
    codes, y = random.integers(-1, 3, 90), (random.random(90) < 0.3).astype(float)
    found = permuted_labels(codes, y, np.arange(90), 50)
    for row in found:
        assert (row[codes < 0] == -1).all()
        for group in range(3):
            assert [((row == group) & (y == label)).sum() for label in (0, 1)] == [
                ((codes == group) & (y == label)).sum() for label in (0, 1)
            ]
    assert (found[0] != found[1]).any()


def test_every_patient_of_a_class_is_as_likely_to_be_in_a_group():
    y = np.repeat([0.0, 1.0], [10, 20])
    codes = np.r_[np.ones(3), np.zeros(7), np.ones(10), np.zeros(10)].astype(int)
    share = permuted_labels(codes, y, np.arange(30), 4000).mean(0)
    assert np.abs(share - np.where(y == 1, 0.5, 0.3)).max() < 0.04


def test_patients_of_a_subject_stay_together():
    y = np.tile([0.0, 0.0, 1.0, 1.0, 1.0, 0.0], 10)
    subject, codes = np.arange(60) // 2, np.arange(60) // 2 % 2
    found = permuted_labels(codes, y, subject, 20)
    assert (found[:, ::2] == found[:, 1::2]).all()
    assert permuted_labels(np.full(4, -1), y[:4], subject[:4], 3).tolist() == [[-1] * 4] * 3
