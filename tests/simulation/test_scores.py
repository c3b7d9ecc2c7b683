from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from gdsfd.simulation.catalogue import CATALOGUE
from gdsfd.simulation.config import SimulationConfig
from gdsfd.simulation.population import Population, draw_population
from gdsfd.simulation.practices import link_of, writing_of
from gdsfd.simulation.scores import bayes_score, oracle_score


def slow_log_ratio(population: Population, name: str, patient: int, role: str) -> float:
    """Log-likelihood ratio of one patient's cells on file, density by density."""
    effects = population.effects[name]
    shift = effects.causal if role == "causal" else effects.biased
    total = 0.0
    for column, feature in enumerate(CATALOGUE[name].features):
        if not population.present[name][patient] or not population.measured[name][patient, column]:
            continue
        value = population.values[name][patient, column]
        if CATALOGUE[name].kind == "codes":
            odds = feature.centre / (1 - feature.centre)
            high, low = (1 / (1 + 1 / (odds * np.exp(sign * shift[column]))) for sign in (1, -1))
            total += np.log(high / low) if value == 1 else np.log((1 - high) / (1 - low))
        else:
            total += norm.logpdf(value, shift[column]) - norm.logpdf(value, -shift[column])
    return total


@pytest.fixture(scope="module")
def config() -> SimulationConfig:
    return SimulationConfig(
        patients=300, modalities=8, prevalence=0.3, bias_modalities=("labs", "history"), missing=0.3, cell_missing=0.3
    )


@pytest.fixture(scope="module")
def population(config: SimulationConfig) -> Population:
    return draw_population(config)


def test_scores_equal_bayes_rule_density_by_density(config: SimulationConfig, population: Population) -> None:
    oracle, bayes = oracle_score(config, population), bayes_score(config, population)
    for patient in range(0, 100, 7):
        causal = sum(slow_log_ratio(population, name, patient, "causal") for name in config.names)
        biased = np.exp(sum(slow_log_ratio(population, name, patient, "biased") for name in config.names))
        odds = 0.3 / 0.7 * np.exp(causal)
        assert oracle[patient] == pytest.approx(odds / (1 + odds))
        odds *= (0.9 * biased + 0.1) / (0.1 * biased + 0.9)
        assert bayes[patient] == pytest.approx(odds / (1 + odds))


def test_no_file_no_evidence() -> None:
    config = SimulationConfig(patients=200, missing=0.95, mechanism="mcar", prevalence=0.2)
    population = draw_population(config)
    empty = ~np.any([population.present[name] for name in config.names], axis=0)
    assert empty.any()
    assert np.allclose(oracle_score(config, population)[empty], 0.2)
    assert np.allclose(bayes_score(config, population)[empty], 0.2)


def test_oracle_is_calibrated_in_every_split() -> None:
    config = SimulationConfig(patients=20_000)
    population = draw_population(config)
    score = oracle_score(config, population)
    for split in np.unique(population.split):
        for low, high in ((0.0, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 1.0)):
            rows = (population.split == split) & (score >= low) & (score <= high)
            assert population.y[rows].mean() == pytest.approx(score[rows].mean(), abs=0.05), split


def test_bayes_is_calibrated_in_distribution_only() -> None:
    config = SimulationConfig(patients=20_000, mechanism="mcar")
    population = draw_population(config)
    score = bayes_score(config, population)
    top = score > 0.9
    inside, outside = (top & (population.split == name) for name in ("test", "test_flipped"))
    assert population.y[inside].mean() == pytest.approx(score[inside].mean(), abs=0.02)
    assert population.y[outside].mean() < score[outside].mean() - 0.2


@pytest.mark.parametrize("confounding", [0.0, 1.0])
def test_certain_alignment_gives_finite_scores(confounding: float) -> None:
    config = SimulationConfig(patients=200, confounding=confounding)
    population = draw_population(config)
    assert np.isfinite(bayes_score(config, population)).all()


def slow_bias_log_density(config: SimulationConfig, population: Population, patient: int, u: float) -> float:
    """Log-density of one patient's biased cells on file under a practice, cell by cell."""
    total = 0.0
    for name in config.names:
        shift = writing_of(config, np.array([u if config.graded else int(u)]), population.effects[name].biased)[0]
        for column, feature in enumerate(CATALOGUE[name].features):
            if population.effects[name].biased[column] == 0.0 or not population.seen(name)[patient, column]:
                continue
            value = population.values[name][patient, column]
            if CATALOGUE[name].kind == "codes":
                chance = 1 / (1 + (1 - feature.centre) / feature.centre * np.exp(-shift[column]))
                total += np.log(chance if value == 1 else 1 - chance)
            else:
                total += norm.logpdf(value, shift[column])
    return total


@pytest.mark.parametrize("options", [{"practices": 3, "sites": 9}, {"graded": True}])
def test_scores_with_other_practices_equal_bayes_rule_practice_by_practice(options: dict) -> None:
    config = SimulationConfig(
        patients=150, modalities=4, prevalence=0.3, bias_modalities=("labs", "history"), bias_strength=0.7, **options
    )
    population = draw_population(config)
    oracle, bayes = oracle_score(config, population), bayes_score(config, population)
    beta = link_of(config, 0.9)
    grid = np.linspace(-6, 6, 401) if config.graded else np.arange(3)
    level = grid if config.graded else np.array([-1.0, 0.0, 1.0])
    share = norm.pdf(grid) if config.graded else np.ones(3)
    for patient in range(0, 40, 9):
        density = np.exp([slow_bias_log_density(config, population, patient, u) for u in grid]) * share
        odds = oracle[patient] / (1 - oracle[patient])
        odds *= np.sum(density / (1 + np.exp(-beta * level))) / np.sum(density / (1 + np.exp(beta * level)))
        assert bayes[patient] == pytest.approx(odds / (1 + odds), rel=1e-5)


@pytest.mark.parametrize("options", [{"practices": 3, "sites": 9}, {"graded": True}])
def test_bayes_with_other_practices_is_calibrated_in_distribution(options: dict) -> None:
    config = SimulationConfig(patients=8000, mechanism="mcar", **options)
    population = draw_population(config)
    score, inside = bayes_score(config, population), population.split == "train"
    for low, high in ((0.0, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 1.0)):
        rows = inside & (score >= low) & (score <= high)
        assert population.y[rows].mean() == pytest.approx(score[rows].mean(), abs=0.04)
