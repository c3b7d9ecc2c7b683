"""Margins and weights against a slow fit written out with loops over folds and patients."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from torch import Tensor

from gdsfd.training.suspects import outcome_by_suspects as fitting
from gdsfd.training.suspects.outcome_by_suspects import outcome_by_suspects
from gdsfd.training.suspects.suspect_codes import SuspectCodes

STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
PATIENTS, TRAIN = 300, 200


def cohort(outcomes: int, tells: bool = True) -> tuple[Tensor, SuspectCodes, list[str]]:
    generator = np.random.default_rng(0)
    hospital, era = generator.integers(0, 3, PATIENTS), generator.integers(0, 2, PATIENTS)
    codes = np.stack([hospital, era], axis=1)
    codes[7, 0] = -1  # missing
    chance = np.array([0.15, 0.4, 0.8])[hospital] if tells else np.full(PATIENTS, 0.4)
    if outcomes == 3:
        y = torch.from_numpy(np.where(generator.random(PATIENTS) < chance, 2, generator.integers(0, 2, PATIENTS)))
        y[11] = -1
    else:
        y = torch.from_numpy((generator.random((PATIENTS, outcomes)) < chance[:, None]).astype(np.float32))
        y[11, 0] = float("nan")
    subjects = [f"person {row // 2}" for row in range(PATIENTS)]
    return y, SuspectCodes(("hospital", "era"), torch.from_numpy(codes), (3, 2)), subjects


def slow(label: np.ndarray, codes: np.ndarray, subjects: list[str], classes: int) -> tuple[np.ndarray, np.ndarray]:
    """P(y | s) of all patients and P(y); ``label`` -1 = unlabelled."""
    columns = []
    for column, size in ((0, 3), (1, 2)):
        columns += [[float(codes[row, column] == code) for row in range(len(codes))] for code in range(size)]
    inputs = np.array(columns).T
    fit = [row for row in range(TRAIN) if label[row] >= 0]
    counts = [sum(label[row] == each for row in fit) for each in range(classes)]
    overall = np.array([(count + 1) / (len(fit) + classes) for count in counts])
    person = np.unique(np.array(subjects, dtype=str), return_inverse=True)[1]
    splitter = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    splits = list(splitter.split(fit, label[fit], person[fit]))
    best, chosen = np.mean([-np.log(overall[label[row]]) for row in fit]), None
    held_out = {}
    for strength in STRENGTHS:
        found = {}
        for inside, outside in splits:
            rows = [fit[place] for place in inside]
            model = LogisticRegression(C=strength, max_iter=500, tol=1e-6).fit(inputs[rows], label[rows])
            for place in outside:
                found[fit[place]] = model.predict_proba(inputs[[fit[place]]])[0]
        entropy = np.mean([-np.log(found[row][label[row]]) for row in fit])
        if entropy < best:
            best, chosen, held_out = entropy, strength, found
    assert chosen is not None
    model = LogisticRegression(C=chosen, max_iter=500, tol=1e-6).fit(inputs[fit], label[fit])
    chance = np.array([held_out.get(row, model.predict_proba(inputs[[row]])[0]) for row in range(len(label))])
    return chance, overall


def weights(label: np.ndarray, chance: np.ndarray, overall: np.ndarray, clip: float) -> np.ndarray:
    ratio = [min(overall[y] / chance[row][y], clip) if y >= 0 else np.nan for row, y in enumerate(label)]
    mean = np.mean([ratio[row] for row in range(TRAIN) if label[row] >= 0])
    return np.array([1.0 if np.isnan(each) else each / mean for each in ratio])


@pytest.mark.parametrize("clip", [1.2, 5.0])
@pytest.mark.parametrize("outcomes", [1, 2])
def test_binary_outcomes(outcomes: int, clip: float) -> None:
    y, suspects, subjects = cohort(outcomes)
    found = outcome_by_suspects(y, suspects, torch.arange(TRAIN), subjects, outcomes, clip)
    for column in range(outcomes):
        values = y[:, column].numpy()
        label = np.where(np.isnan(values), -1, values).astype(int)
        chance, overall = slow(label, suspects.codes.numpy(), subjects, 2)
        margin = np.log(chance[:, 1] / chance[:, 0]) - np.log(overall[1] / overall[0])
        np.testing.assert_allclose(found.margin[:, column], margin, atol=1e-4)
        np.testing.assert_allclose(found.weight[:, column], weights(label, chance, overall, clip), rtol=1e-4)
        assert found.cross_entropy_gain[column] > 0
        known = [row for row in range(TRAIN) if label[row] >= 0]
        assert float(found.weight[known, column].mean()) == pytest.approx(1, abs=1e-5)


def test_several_classes() -> None:
    y, suspects, subjects = cohort(3)
    found = outcome_by_suspects(y, suspects, torch.arange(TRAIN), subjects, 3)
    chance, overall = slow(y.numpy(), suspects.codes.numpy(), subjects, 3)
    np.testing.assert_allclose(found.margin, np.log(chance) - np.log(overall), atol=1e-4)
    np.testing.assert_allclose(found.weight, weights(y.numpy(), chance, overall, 5.0), rtol=1e-4)


def test_suspects_that_tell_nothing_give_margins_of_0_and_weights_of_1() -> None:
    y, suspects, subjects = cohort(1, tells=False)
    found = outcome_by_suspects(y, suspects, torch.arange(TRAIN), subjects, 1)
    assert found.cross_entropy_gain == [0.0]
    assert (found.margin == 0).all()
    assert (found.weight == 1).all()


def test_labels_outside_train_are_not_read() -> None:
    y, suspects, subjects = cohort(1)
    before = outcome_by_suspects(y, suspects, torch.arange(TRAIN), subjects, 1)
    flipped = y.clone()
    flipped[TRAIN:] = 1 - flipped[TRAIN:]
    after = outcome_by_suspects(flipped, suspects, torch.arange(TRAIN), subjects, 1)
    torch.testing.assert_close(after.margin, before.margin)
    torch.testing.assert_close(after.weight[:TRAIN], before.weight[:TRAIN])


def test_patients_who_are_alike_are_fitted_as_one_with_their_number():
    random = np.random.default_rng(0)
    inputs = np.eye(4)[random.integers(0, 4, 400)]
    y = (random.random(400) < 0.1 + 0.2 * inputs.argmax(1)).astype(int)
    each = LogisticRegression(C=0.1, max_iter=500, tol=1e-9).fit(inputs, y)
    together = fitting._fitted(inputs, y, 0.1)
    assert together.predict_proba(np.eye(4)) == pytest.approx(each.predict_proba(np.eye(4)), abs=1e-4)


def test_of_one_suspect_the_weights_are_those_of_counts_and_what_was_cut_is_said() -> None:
    generator = np.random.default_rng(1)
    n = 4000
    site = generator.integers(0, 2, n)
    y = torch.from_numpy((generator.random(n) < np.array([0.1, 0.6])[site]).astype(np.float32)).unsqueeze(1)
    suspects = SuspectCodes(("site",), torch.from_numpy(site).unsqueeze(1), (2,))
    subjects = [str(row // 40) for row in range(n)]
    found = outcome_by_suspects(y, suspects, torch.arange(n), subjects, 1, clip=3.0)
    label, share = y[:, 0].numpy(), {}
    for own_site in (0, 1):
        for own_label in (0.0, 1.0):
            both = np.mean((site == own_site) & (label == own_label))
            share[own_site, own_label] = np.mean(label == own_label) * np.mean(site == own_site) / both
    ratio = np.array([share[each] for each in zip(site, label)])
    assert (ratio > 3).any()
    cut = np.minimum(ratio, 3.0)
    expected = cut / cut.mean()
    np.testing.assert_allclose(found.weight[:, 0].numpy(), expected, rtol=0.03)
    assert found.clipped == pytest.approx([np.mean(ratio > 3)])
    assert found.effective == pytest.approx([expected.sum() ** 2 / (expected**2).sum()], rel=0.02)
