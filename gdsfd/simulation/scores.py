"""Bayes-optimal scores of simulated patients: with the causal content alone (oracle), and with the bias.

The best there are, because the model that made the data is known.

Both leave the pattern of presence aside and ignore measurement noise, blanks apart: they see each patient's true level.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gdsfd.simulation.config import SimulationConfig
from gdsfd.simulation.effects import log_ratio, logit
from gdsfd.simulation.population import Population

__all__ = ["bayes_score", "bias_log_ratio", "causal_log_ratio", "oracle_score"]


def causal_log_ratio(population: Population, observed: bool = True) -> dict[str, NDArray[np.float64]]:
    """Modality -> what its causal content says about the outcome, in nats; each [N].

    Args:
        population: The patients.
        observed: Count only cells that stand in the files; otherwise all.
    """
    return _evidence(population, "causal", observed)


def bias_log_ratio(population: Population) -> dict[str, NDArray[np.float64]]:
    """Modality -> what its biased content says about U (or about the cause it follows), in nats; each [N]."""
    return _evidence(population, "biased", observed=True)


def _evidence(population: Population, role: str, observed: bool) -> dict[str, NDArray[np.float64]]:
    found = {}
    for name, effects in population.effects.items():
        shift = effects.causal if role == "causal" else effects.biased
        cells = log_ratio(name, population.values[name], shift)
        found[name] = (cells * population.seen(name)).sum(axis=1) if observed else cells.sum(axis=1)
    return found


def oracle_score(config: SimulationConfig, population: Population, observed: bool = True) -> NDArray[np.float64]:
    """``P(Y = 1 | C)``: the Bayes score under ``do(B)`` and ``do(M)``, the same function in every split; [N].

    Args:
        config: The knobs.
        population: The patients.
        observed: Use the causal content that stands in the files; otherwise all of it.
    """
    return _sigmoid(logit(config.prevalence) + _total(causal_log_ratio(population, observed)))


def bayes_score(config: SimulationConfig, population: Population) -> NDArray[np.float64]:
    """``P(Y = 1 | C, B)`` in the training distribution: what a predictor gains by following the bias; [N]."""
    evidence = logit(config.prevalence) + _total(causal_log_ratio(population))
    sign = _total(bias_log_ratio(population))
    with np.errstate(divide="ignore"):
        agree, differ = np.log(config.confounding), np.log1p(-config.confounding)
    return _sigmoid(evidence + np.logaddexp(agree + sign, differ) - np.logaddexp(differ + sign, agree))


def _total(evidence: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.sum(list(evidence.values()), axis=0)


def _sigmoid(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1.0 / (1.0 + np.exp(-np.clip(logits, -500.0, 500.0)))
