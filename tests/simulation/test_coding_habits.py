from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from gdsfd.errors import InputError
from gdsfd.simulation import load_truth, simulate
from gdsfd.simulation.catalogue import CATALOGUE
from gdsfd.simulation.coding_habits import BLANK, OTHER_CODE, habit_log_density, habit_strength
from gdsfd.simulation.config import SimulationConfig
from gdsfd.simulation.population import Population, draw_population
from gdsfd.simulation.presets import configured
from gdsfd.simulation.scores import bias_log_ratio

CONFIG = configured("coded_practice", patients=8000, repeats=0.0)


@pytest.fixture(scope="module")
def population() -> Population:
    return draw_population(CONFIG)


def test_every_code_has_another_one_and_no_two_the_same() -> None:
    for name, other in OTHER_CODE.items():
        assert set(other) == {feature.name for feature in CATALOGUE[name].features}
        assert len({*other, *other.values()}) == 2 * len(other)


def test_findings_and_numbers_are_those_of_the_design_without_habits(population: Population) -> None:
    plain = draw_population(configured("latent", patients=8000, repeats=0.0, modalities=CONFIG.names))
    assert not plain.other
    assert not plain.words
    for name in ("history", "medications"):
        assert (population.values[name] == plain.values[name]).all()
    for name in CONFIG.names:
        assert not population.effects[name].biased.any()


def test_which_code_is_written_follows_the_practice_whatever_the_finding_says(population: Population) -> None:
    for name, other in population.other.items():
        for u in (0, 1):
            share = other[population.u == u].mean()
            assert share == pytest.approx(expit(habit_strength(CONFIG, name) * (2 * u - 1)), abs=0.01)
            written = population.values[name][population.u == u] > 0.5
            assert other[population.u == u][written].mean() == pytest.approx(share, abs=0.02)


def test_which_word_fills_a_column_follows_the_practice(population: Population) -> None:
    words = population.words["demographics"]
    assert (words < 0).mean() == pytest.approx(BLANK, abs=0.01)
    s = habit_strength(CONFIG, "demographics")
    for u in (0, 1):
        share = np.exp((2 * u - 1) * s * np.array([-1.0, 0.0, 1.0]))
        for column in words[population.u == u].T:
            found = np.bincount(column[column >= 0], minlength=3) / (column >= 0).sum()
            assert found == pytest.approx(share / share.sum(), abs=0.025)


def test_a_modality_of_habits_tells_of_the_practice_what_numbers_would(population: Population) -> None:
    told = bias_log_ratio(CONFIG, population)
    plain = configured("latent", patients=8000, repeats=0.0, bias_modalities=("labs", "vitals", "ecg"), modalities=8)
    other = draw_population(plain)
    numbers = bias_log_ratio(plain, other)
    for name in CONFIG.bias_modalities:
        own, there = population.present[name], other.present["vitals"]
        area = roc_auc_score(population.u[own], told[name][own])
        assert area == pytest.approx(roc_auc_score(other.u[there], numbers["vitals"][there]), abs=0.05)
    assert not told["labs"].any()


def test_the_density_is_that_of_what_is_written_cell_by_cell(population: Population) -> None:
    for name in CONFIG.bias_modalities:
        s, written = habit_strength(CONFIG, name), population.values[name] > 0.5
        found = habit_log_density(CONFIG, name, 1.0, written, population.other, population.words)
        for row in range(0, 40):
            slow = 0.0
            if name in population.other:
                for place in np.flatnonzero(written[row]):
                    slow += np.log(expit(s if population.other[name][row, place] else -s))
            for word in population.words[name][row] if name in population.words else ():
                slow += 0.0 if word < 0 else np.log(np.exp(s * (word - 1)) / np.exp(s * np.array([-1, 0, 1])).sum())
            assert found[row] == pytest.approx(slow)


def test_files_hold_what_was_drawn(tmp_path: Path) -> None:
    folder = simulate(tmp_path / "out", preset="coded_practice", patients=200, repeats=0.0)
    config = configured("coded_practice", patients=200, repeats=0.0)
    population, truth = draw_population(config), load_truth(folder)
    history = pd.read_csv(folder / "history.csv", dtype=str, keep_default_na=False)
    codes = [feature.name for feature in CATALOGUE["history"].features]
    for row, own in enumerate(population.id[:80]):
        if population.present["history"][row]:
            expected = {
                OTHER_CODE["history"][code] if population.other["history"][row, place] else code
                for place, code in enumerate(codes)
                if population.values["history"][row, place]
            }
            assert set(history.loc[history["patient_id"] == own, "code"]) - {"Z00.0", ""} == expected
    table = pd.read_csv(folder / "demographics.csv", dtype=str, keep_default_na=False).set_index("patient_id")
    for place, (column, levels) in enumerate(CATALOGUE["demographics"].levels):
        expected = [(*levels, "")[word] for word in population.words["demographics"][:, place]]
        assert table.loc[population.id, column].tolist() == expected
    assert truth.masks["history"]["I50.9"] == truth.masks["history"]["I50.1"] == "mixed"
    assert truth.masks["history"]["M54.5"] == truth.masks["history"]["M54.9"] == "biased"
    assert truth.masks["demographics"]["smoker"] == "biased"
    assert truth.masks["labs"]["crp_rapid"] == "noise"
    assert truth.config == config
    assert set(truth.coefficients["habits"]) == {"history", "demographics", "medications"}


def test_a_modality_that_has_neither_codes_nor_categories_is_refused() -> None:
    with pytest.raises(InputError, match="writes in codes and categories alone; expected bias_modalities among"):
        SimulationConfig(coded=True)
    with pytest.raises(InputError, match="got 'labs', 'history'"):
        SimulationConfig(coded=True, bias_modalities=("labs", "history"))
    assert habit_strength(SimulationConfig(bias_modalities=("history",)), "history") == 0.0
    assert habit_strength(SimulationConfig(coded=True, bias_modalities=("history",), bias_strength=0.0), "history") == 0
