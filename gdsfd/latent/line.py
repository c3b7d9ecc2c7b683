r"""A graded practice: levels on a line instead of classes anywhere.

Two classes that stand for a practice that is a number cut it in half: all who have little of it count alike, and all
who have much. Here the practice is a number :math:`t` from a normal distribution, of which a few levels stand for all,

.. math::

    c_{k,u} = t_u d_k, \qquad
    P(u \mid y) \propto \varphi(t_u)\, \frac{e^{\alpha_y + \beta_y t_u}}{\sum_z e^{\alpha_z + \beta_z t_u}}

with one direction :math:`d_k` in each modality, and the log-odds of the outcome leaning on the number. What it is
measured in does not matter: :math:`d` and :math:`\beta` take it up. The shape of :math:`P(u \mid y)` is what holds the
levels of one outcome beside those of another; were it free, all patients of an outcome could be moved along the line
and the shift by the outcome moved back.

EM starts from classes that were found, and a view's table at each level is drawn to what the classes said there.

References:
    Our formulation. A normal trait with logistic links is that of item response theory (Bock and Aitkin 1981).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import logsumexp

from gdsfd.latent.gaussian_block import Floats, GaussianBlock, Ints
from gdsfd.latent.mixture import PRIOR_COUNT, Fit, Mixture, Observed

__all__ = ["LEVELS", "fit_line", "likelier"]

#: The levels, in standard deviations of the practice.
LEVELS = np.linspace(-2.0, 2.0, 7)
#: Patients that what the classes said of a view counts as, at each level.
DRAWN = 50.0
#: Nats by which levels have to make patients likelier than classes did: odds of 150 to 1.
SURE = 5.0
#: Mean and standard deviation of the half of a normal distribution that lies above 0.
HALF_MEAN, HALF_SPREAD = np.sqrt(2.0 / np.pi), np.sqrt(1.0 - 2.0 / np.pi)
#: Most steps of the search inside an M-step.
_STEPS = 10


def fit_line(classes: Mixture, seen: Observed, y: Ints, rounds: int = 60) -> tuple[Mixture, list[float]]:
    """Levels on a line, by EM from classes that were found.

    Args:
        classes: The classes, at least two.
        seen: The patients they were fitted on.
        y: Their outcomes; [N].
        rounds: Most rounds of EM.

    Returns:
        The mixture, its levels in ascending order of how they lean to the last outcome, and the log-posterior before
        each round, up to a constant, in nats.
    """
    start = _start(classes, seen, y)
    fit = _LineFit(seen, y, start)
    mixture, trace = fit.run(fit.run(start, 1)[0], rounds)  # the first round makes a line of what classes said
    lean = np.log(mixture.share[-1]) - np.log(mixture.share[0])
    if lean[-1] < lean[0]:  # levels lie alike on both sides of 0, so that the direction may be turned round
        mixture = replace(mixture.permuted(np.arange(len(lean))[::-1]), levels=LEVELS)
    return mixture, trace


def likelier(line: Mixture, classes: Mixture, seen: Observed, y: Ints) -> bool:
    """Whether levels on a line make patients likelier than classes do, beyond doubt.

    Args:
        line: The levels. Beside two classes they have as many shifts and shares, beside more classes fewer.
        classes: The classes.
        seen: The patients that both were fitted on.
        y: Their outcomes; [N].
    """
    return float((line.log_likelihood(seen, y) - classes.log_likelihood(seen, y)).sum()) > SURE


class _LineFit(Fit):
    """EM in which classes stay on the line."""

    def __init__(self, seen: Observed, y: Ints, start: Mixture) -> None:
        sizes = {name: table.shape[1] for name, table in start.views.items()}
        super().__init__(seen, y, len(start.share), sizes, start.levels)
        self.said = start.views
        self.lean = np.zeros(2 * self.outcomes)  #: alpha, then beta, of each outcome

    def prior_counts(self, name: str) -> Floats:
        return PRIOR_COUNT + DRAWN * self.said[name]

    def shares_by_outcome(self, counts: Floats) -> Floats:
        """The most likely shares of their shape, by a search that goes on from where it ended the round before."""
        from scipy.optimize import minimize  # slow to import

        counts, levels = counts + PRIOR_COUNT, LEVELS

        def loss(lean: Floats) -> tuple[float, Floats]:
            given, share = _shares(lean, levels)
            rest = counts - counts.sum(1, keepdims=True) * share
            slope = rest - given * rest.sum(0)
            return -float((counts * np.log(share)).sum()), -np.concatenate([slope.sum(1), slope @ levels])

        self.lean = minimize(loss, self.lean, jac=True, method="L-BFGS-B", options={"maxiter": _STEPS}).x
        return _shares(self.lean, levels)[1]


def _shares(lean: Floats, levels: Floats) -> tuple[Floats, Floats]:
    """``P(y | u)`` and ``P(u | y)``; each [L, K]."""
    alpha, beta = lean.reshape(2, -1, 1)
    given = alpha + beta * levels
    given = given - logsumexp(given, axis=0)
    share = given - 0.5 * levels**2
    return np.exp(given), np.exp(share - logsumexp(share, axis=1, keepdims=True))


def _start(classes: Mixture, seen: Observed, y: Ints) -> Mixture:
    """Levels where the classes lie, each class spread over those around it."""
    place = HALF_MEAN * _places(classes, seen, y)
    near = np.exp(-0.5 * ((LEVELS - place[:, None]) / HALF_SPREAD) ** 2)
    near /= near.sum(1, keepdims=True)  # P(level | class)
    joint = classes.marginal[:, None] * near
    blocks = []
    for each in classes.blocks:
        middle = classes.marginal @ each.stratum
        direction = (classes.marginal * place) @ (each.stratum - middle) / (classes.marginal @ place**2)
        blocks.append(GaussianBlock(each.outcome + middle, LEVELS[:, None] * direction, each.covariance))
    views = {name: (joint / joint.sum(0)).T @ table for name, table in classes.views.items()}
    return Mixture(classes.share @ near, views, tuple(blocks), classes.block, joint.sum(0), LEVELS)


def _places(classes: Mixture, seen: Observed, y: Ints) -> Floats:
    """Where classes lie along what sets them apart most, with mean 0 and mean square 1; [K]."""
    shifts = []
    for part, block in zip(seen.cells(), classes.blocks):
        root = np.linalg.cholesky(np.linalg.inv(block.covariance))
        shifts.append(np.sqrt(len(part.rows) / len(y)) * block.stratum @ root)
    apart = np.concatenate(shifts, axis=1)
    apart = apart - classes.marginal @ apart
    axis = np.linalg.svd(np.sqrt(classes.marginal)[:, None] * apart, full_matrices=False)[2][0]
    place = apart @ axis
    return np.asarray(place / np.sqrt(max(classes.marginal @ place**2, 1e-12)), dtype=np.float64)
