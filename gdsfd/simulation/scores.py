"""Bayes-optimal scores of simulated patients: with the causal content alone (oracle), and with the bias.

The best there are, because the model that made the data is known.

Both leave the pattern of presence aside and ignore measurement noise, blanks apart: they see each patient's true level.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from gdsfd.simulation.catalogue import CATALOGUE
from gdsfd.simulation.coding_habits import habit_log_density
from gdsfd.simulation.config import SimulationConfig
from gdsfd.simulation.effects import log_ratio, logit
from gdsfd.simulation.interactions import interaction_log_ratio, interactions_of
from gdsfd.simulation.population import Population
from gdsfd.simulation.practices import level_of, levels, link_of, writing_of

__all__ = ["BETWEEN", "bayes_score", "bias_log_ratio", "causal_log_ratio", "oracle_score"]

#: Key of what modalities say together of the outcome.
BETWEEN = "between modalities"


def causal_log_ratio(
    config: SimulationConfig, population: Population, observed: bool = True
) -> dict[str, NDArray[np.float64]]:
    """Modality -> what its causal content says about the outcome, in nats; each [N].

    Args:
        config: The knobs.
        population: The patients.
        observed: Count only cells that stand in the files; otherwise all.

    Returns:
        With interactions of two modalities also what these say together, as :data:`BETWEEN`.
    """
    found = {
        name: _on_file(population, name, log_ratio(name, population.values[name], effects.causal), observed)
        for name, effects in population.effects.items()
    }
    for each in interactions_of(config):
        evidence = interaction_log_ratio(each, population.values)
        if observed:
            evidence = evidence * np.all([population.seen(name)[:, place] for name, place in each.cells], axis=0)
        owner = each.modality or BETWEEN
        found[owner] = found.get(owner, 0.0) + evidence
    return found


def bias_log_ratio(config: SimulationConfig, population: Population) -> dict[str, NDArray[np.float64]]:
    """Modality -> what its biased content says about U (or about the cause it follows), in nats; each [N].

    That is the log-ratio of the last practice and the first, or of a graded U at 1 and at -1.
    """
    if config.practices == 2:
        return {
            name: _on_file(population, name, log_ratio(name, population.values[name], effects.biased))
            + _habits(config, population, name, 1.0)
            - _habits(config, population, name, -1.0)
            for name, effects in population.effects.items()
        }
    first, last = (_bias_log_density(config, population, np.array(u)) for u in (0, config.practices - 1))
    return {name: last[name] - first[name] for name in first}


def _on_file(
    population: Population, name: str, cells: NDArray[np.float64], observed: bool = True
) -> NDArray[np.float64]:
    """Sum of a modality's cells, those on file or all; [N]."""
    return (cells * population.seen(name)).sum(axis=1) if observed else cells.sum(axis=1)


def _bias_log_density(
    config: SimulationConfig, population: Population, u: NDArray[Any]
) -> dict[str, NDArray[np.float64]]:
    """Modality -> ``log p(biased content on file | U = u)`` up to what does not depend on ``u``; each [N]."""
    found = {}
    for name, effects in population.effects.items():
        shift, values = writing_of(config, u[None], effects.biased)[0], population.values[name]
        if CATALOGUE[name].kind == "codes":
            base = np.array([logit(feature.centre) for feature in CATALOGUE[name].features]) + shift
            cells = -np.logaddexp(0.0, np.where(values > 0.5, -base, base))
        else:
            cells = values * shift - 0.5 * shift**2
        habits = _habits(config, population, name, float(level_of(config, u)))
        found[name] = _on_file(population, name, cells) + habits
    return found


def _habits(config: SimulationConfig, population: Population, name: str, level: float) -> NDArray[np.float64]:
    """``log P(which codes and words | level of the practice)`` of what is on file, in nats; [N]."""
    written = population.values[name] > 0.5
    told = habit_log_density(config, name, level, written, population.other, population.words)
    return np.where(population.present[name], told, 0.0)


def oracle_score(config: SimulationConfig, population: Population, observed: bool = True) -> NDArray[np.float64]:
    """``P(Y = 1 | C)``: the Bayes score under ``do(B)`` and ``do(M)``, the same function in every split; [N].

    Args:
        config: The knobs.
        population: The patients.
        observed: Use the causal content that stands in the files; otherwise all of it.
    """
    return _sigmoid(logit(config.prevalence) + _total(causal_log_ratio(config, population, observed)))


def bayes_score(config: SimulationConfig, population: Population) -> NDArray[np.float64]:
    """``P(Y = 1 | C, B)`` in the training distribution: what a predictor gains by following the bias; [N]."""
    evidence = logit(config.prevalence) + _total(causal_log_ratio(config, population))
    if config.graded or config.practices > 2:
        return _sigmoid(evidence + _practice_log_ratio(config, population))
    sign = _total(bias_log_ratio(config, population))
    with np.errstate(divide="ignore"):
        agree, differ = np.log(config.confounding), np.log1p(-config.confounding)
    return _sigmoid(evidence + np.logaddexp(agree + sign, differ) - np.logaddexp(differ + sign, agree))


def _practice_log_ratio(config: SimulationConfig, population: Population) -> NDArray[np.float64]:
    """``log p(B | Y = 1) - log p(B | Y = 0)``, summed over practices, or over a grid of a graded U; [N]."""
    grid = np.linspace(-5.0, 5.0, 101) if config.graded else np.arange(config.practices)
    level = grid if config.graded else levels(config)
    prior = -0.5 * grid**2 if config.graded else np.zeros(len(grid))
    lean = link_of(config, config.confounding) * level
    density = np.stack([_total(_bias_log_density(config, population, np.array(u))) for u in grid], axis=1) + prior
    return logsumexp(density - np.logaddexp(0.0, -lean), axis=1) - logsumexp(density - np.logaddexp(0.0, lean), axis=1)


def _total(evidence: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.sum(list(evidence.values()), axis=0)


def _sigmoid(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1.0 / (1.0 + np.exp(-np.clip(logits, -500.0, 500.0)))
