"""Care practices: what the confounder U is, how it leans to the outcome, and where it writes.

A practice has a level ``t`` between -1 and 1 (two practices: -1 and 1; three: -1, 0 and 1); a graded U, drawn from
N(0, 1), is its own level. With ``a`` the alignment of a split and ``s_Y`` = -1 or 1 (our formulation)::

    P(U | Y) = 2 P(U) sigmoid(beta t_U s_Y)        so that  logit P(Y = 1 | U) = logit(prevalence) + beta t_U

where practices are equally frequent, ``beta = logit(a)``; for a graded U ``beta`` is such that a share ``a`` of the
patients lean to the side of their outcome. Where half the patients have the outcome, the marginal of U is the same in
every split.

Biased content is shifted by ``m w_U``: ``w`` is the level of two practices and of a graded U. Of three practices each
has a third of the biased columns for itself, in which it lies up and the others down (of four a fourth, and so on), so
that they do not lie on a line; any two are as far apart as two practices are.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtri

from gdsfd.simulation.config import SimulationConfig
from gdsfd.simulation.effects import logit
from gdsfd.simulation.streams import stream

__all__ = ["draw_practice", "level_of", "levels", "link_of", "site_group", "writing_of"]

_MOST = 1e4  #: a log-odds beyond which the side is certain

Floats = NDArray[np.float64]


def levels(config: SimulationConfig) -> Floats:
    """Level ``t`` of each practice; [practices]."""
    return np.linspace(-1.0, 1.0, config.practices)


def level_of(config: SimulationConfig, u: NDArray[Any]) -> Floats:
    """Level ``t`` of each patient's practice; [N]."""
    return np.asarray(u, dtype=np.float64) if config.graded else levels(config)[u]


def link_of(config: SimulationConfig, alignment: float) -> float:
    """``beta`` where a share ``alignment`` of the patients lean to the side of their outcome.

    Example:
        >>> round(link_of(SimulationConfig(), 0.9), 4)
        2.1972
        >>> abs(round(link_of(SimulationConfig(graded=True), 0.5), 4))
        0.0
    """
    if not config.graded:
        return logit(alignment) if 0.0 < alignment < 1.0 else _MOST * (2.0 * alignment - 1.0)
    size = ndtri((np.arange(4000) + 4000.5) / 8000)  # |U|, the middles of 4,000 equal parts
    low, high = -_MOST, _MOST
    for _ in range(80):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if expit(middle * size).mean() < alignment else (low, middle)
    return 0.5 * (low + high)


def draw_practice(
    config: SimulationConfig, split: NDArray[np.str_], y: NDArray[np.int64]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """U, and what the biased content follows; each [N].

    Args:
        config: The knobs.
        split: Name of each patient's split.
        y: Outcome, 0 or 1.
    """
    draws = stream(config.seed, "practice").random((2, len(y)))
    if config.bias_causal:
        # A cause works alike everywhere: its agreement with the outcome does not change with the split, nor with U.
        return (draws[1] < 0.5).astype(np.int64), np.where(draws[0] < config.confounding, y, 1 - y)
    alignment = np.array([config.alignment(name) for name in split])
    if config.practices == 2 and not config.graded:
        u = np.where(draws[0] < alignment, y, 1 - y)
        return u, u
    any_practice = np.floor(draws[1] * config.practices).astype(np.int64)
    size = np.abs(ndtri(draws[1]) if config.graded else levels(config)[any_practice])
    link = np.array([link_of(config, share) for share in np.unique(alignment)])
    agrees = draws[0] < expit(link[np.unique(alignment, return_inverse=True)[1]] * size)
    level = np.where(agrees, 2.0 * y - 1.0, 1.0 - 2.0 * y) * size
    graded = level if config.graded else np.abs(level[:, None] - levels(config)).argmin(1)
    return graded, graded


def site_group(config: SimulationConfig, u: NDArray[Any]) -> NDArray[np.int64]:
    """The practice whose hospitals a patient would be in; a graded U has two sorts of hospitals, by its sign."""
    return (u > 0).astype(np.int64) if config.graded else u


def writing_of(config: SimulationConfig, bias: NDArray[Any], shift: Floats) -> Floats:
    """Shift of each patient's biased content; [N, F].

    Args:
        config: The knobs.
        bias: What the content follows, as in ``Population``; [N].
        shift: ``m`` of each column, 0 elsewhere; [F].
    """
    if config.practices == 2:
        return level_of(config, bias)[:, None] * shift
    own = np.full((config.practices, len(shift)), -1.0)
    for order, column in enumerate(np.flatnonzero(shift)):
        own[order % config.practices, column] = 1.0
    return np.sqrt(config.practices / 2.0) * own[bias] * shift
