"""Ridge logistic regression beside an offset, which scikit-learn's has no room for."""

from __future__ import annotations

import numpy as np
from scipy.special import softmax

from gdsfd.baselines.flat_baseline import Labels
from gdsfd.baselines.labels import Floats

__all__ = ["fit_beside_offset"]


def fit_beside_offset(
    x: Floats,
    y: Labels,
    offset: Floats,
    strength: float,
    max_iter: int = 300,
    start: tuple[Floats, Floats] | None = None,
) -> tuple[Floats, Floats]:
    r"""Coefficients of scores that are fitted beside offsets.

    .. math:: \min_{W, b}\; C \sum_i -\log \operatorname{softmax}(W x_i + b + o_i)_{y_i} + \tfrac12 \lVert W \rVert^2

    Two classes have one score, the log-odds. Without offsets this is scikit-learn's ``LogisticRegression(C)``; the
    intercept is not penalised. Solved by L-BFGS.

    Args:
        x: Columns of about unit variance; float64 [n, p].
        y: Numbers of classes, all of which occur; [n].
        offset: float64 [n, scores].
        strength: Inverse penalty :math:`C`.
        max_iter: Most iterations.
        start: Coefficients and intercept to start from; default: zeros.

    Returns:
        Coefficients float64 [scores, p] and intercepts float64 [scores].
    """
    from scipy.optimize import minimize  # slow to import

    scores, width = offset.shape[1], x.shape[1]
    wanted = np.eye(scores)[y] if scores > 1 else y[:, None].astype(np.float64)
    scale = 1.0 / (strength * len(y))  # everything divided by C n: the loss is a mean, whatever the number of patients

    def value(flat: Floats) -> tuple[float, Floats]:
        weights, intercept = flat[: scores * width].reshape(scores, width), flat[scores * width :]
        raw = x @ weights.T + intercept + offset
        if scores == 1:
            chance = 0.5 * (1 + np.tanh(0.5 * raw))
            loss = (np.logaddexp(0.0, raw) - wanted * raw).mean()
        else:
            chance = softmax(raw, axis=1)
            loss = (np.logaddexp.reduce(raw, axis=1) - (wanted * raw).sum(1)).mean()
        error = (chance - wanted) / len(y)
        gradient = np.concatenate([(error.T @ x + scale * weights).ravel(), error.sum(0)])
        return float(loss + 0.5 * scale * (weights**2).sum()), gradient

    first = np.zeros(scores * (width + 1)) if start is None else np.concatenate([start[0].ravel(), start[1]])
    found = minimize(value, first, jac=True, method="L-BFGS-B", options={"maxiter": max_iter, "gtol": 1e-6})
    return found.x[: scores * width].reshape(scores, width), found.x[scores * width :]
