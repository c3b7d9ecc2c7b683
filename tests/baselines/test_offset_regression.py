"""Logistic regression beside an offset, against scikit-learn's without one and Newton's method with one."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from gdsfd.baselines.offset_regression import fit_beside_offset


def drawn(classes: int, n: int = 300) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(classes)
    x = rng.normal(size=(n, 4))
    y = np.digitize(x[:, 0] + rng.normal(size=n), np.linspace(-1, 1, classes - 1) if classes > 2 else [0.3])
    return x, y.astype(np.int64), rng.normal(size=(n, 1 if classes == 2 else classes))


@pytest.mark.parametrize("strength", [0.003, 0.3])
@pytest.mark.parametrize("classes", [2, 3])
def test_without_offsets_it_is_scikit_learns(classes, strength):
    x, y, offset = drawn(classes)
    model = LogisticRegression(C=strength, tol=1e-8, max_iter=1000).fit(x, y)
    weights, intercept = fit_beside_offset(x, y, np.zeros_like(offset), strength)
    np.testing.assert_allclose(weights, model.coef_, atol=2e-4)
    # Of several classes only differences of intercepts mean anything: no penalty holds their mean.
    np.testing.assert_allclose(intercept - intercept.mean(), model.intercept_ - model.intercept_.mean(), atol=2e-4)


def newton(x: np.ndarray, y: np.ndarray, offset: np.ndarray, strength: float) -> np.ndarray:
    """Coefficients and intercept for two classes, by full Newton steps."""
    design = np.column_stack([x, np.ones(len(x))])
    ridge = np.diag([1 / strength] * x.shape[1] + [0.0])
    found = np.zeros(design.shape[1])
    for _ in range(50):
        chance = 1 / (1 + np.exp(-(design @ found + offset)))
        gradient = design.T @ (chance - y) + ridge @ found
        found = found - np.linalg.solve((design.T * (chance * (1 - chance))) @ design + ridge, gradient)
    return found


@pytest.mark.parametrize("strength", [0.003, 0.3])
def test_with_offsets_it_is_newtons_method(strength):
    x, y, offset = drawn(2)
    weights, intercept = fit_beside_offset(x, y, offset, strength)
    np.testing.assert_allclose(np.append(weights[0], intercept), newton(x, y, offset[:, 0], strength), atol=2e-4)


def test_several_classes_beside_offsets_end_where_no_step_gains():
    x, y, offset = drawn(3)
    weights, intercept = fit_beside_offset(x, y, offset, 0.3)

    def loss(weights: np.ndarray, intercept: np.ndarray) -> float:
        raw = x @ weights.T + intercept + offset
        own = [np.log(np.exp(row).sum()) - row[label] for row, label in zip(raw, y)]
        return 0.3 * float(np.sum(own)) + 0.5 * float((weights**2).sum())

    best = loss(weights, intercept)
    for place in np.ndindex(3, 4):
        for step in (-0.02, 0.02):
            moved = weights.copy()
            moved[place] += step
            assert loss(moved, intercept) > best
    for place in range(3):
        for step in (-0.02, 0.02):
            assert loss(weights, intercept + step * np.eye(3)[place]) > best


def test_where_it_starts_does_not_matter():
    x, y, offset = drawn(3)
    first = fit_beside_offset(x, y, offset, 0.03)
    again = fit_beside_offset(x, y, offset, 0.03, start=(np.ones((3, 4)), np.zeros(3)))
    np.testing.assert_allclose(first[0], again[0], atol=5e-4)
