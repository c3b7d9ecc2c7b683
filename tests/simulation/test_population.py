from __future__ import annotations

import numpy as np
import pytest

from gdsfd.simulation.config import SPLITS, SimulationConfig
from gdsfd.simulation.population import draw_population

BIG = 20_000


def test_alignment_is_what_was_asked_in_every_split() -> None:
    config = SimulationConfig(patients=BIG, confounding=0.8)
    population = draw_population(config)
    wanted = dict.fromkeys(SPLITS, 0.8) | {"test_unbiased": 0.5, "test_flipped": 0.2}
    for split, share in wanted.items():
        rows = population.split == split
        assert (population.u == population.y)[rows].mean() == pytest.approx(share, abs=0.025), split


@pytest.mark.parametrize("prevalence", [0.2, 0.5])
def test_prevalence(prevalence: float) -> None:
    population = draw_population(SimulationConfig(patients=BIG, prevalence=prevalence))
    assert population.y.mean() == pytest.approx(prevalence, abs=0.01)


def test_contents_follow_their_role() -> None:
    config = SimulationConfig(patients=BIG, modalities=8, bias_modalities=("labs", "history"), confounding=0.5)
    population = draw_population(config)
    y, u = 2.0 * population.y - 1, 2.0 * population.u - 1
    for name, effects in population.effects.items():
        for column, role in enumerate(effects.role):
            z = population.values[name][:, column]
            by_y, by_u = np.mean(z * y), np.mean(z * u)
            bound = 4 * 1.3 * z.std() / np.sqrt(len(z))  # repeats make rows a little dependent
            assert (abs(by_y) > bound) == (role == "causal") or abs(effects.causal[column]) < 0.05, (name, column)
            assert (abs(by_u) > bound) == (role == "biased"), (name, column)
            if role == "biased":
                assert name in ("labs", "history")


def test_numbers_have_unit_noise_and_the_stated_shift() -> None:
    population = draw_population(SimulationConfig(patients=BIG))
    for name in ("labs", "imaging", "vitals", "demographics"):
        effects = population.effects[name]
        for outcome, practice in ((0, 0), (1, 1)):
            rows = (population.y == outcome) & (population.u == practice)
            z = population.values[name][rows]
            shift = effects.causal * (2 * outcome - 1) + effects.biased * (2 * practice - 1)
            assert np.allclose(z.mean(axis=0), shift, atol=0.06)
            assert np.allclose(z.std(axis=0), 1.0, atol=0.05)


def test_rates_of_absence_hold_in_train_whatever_the_mechanism() -> None:
    for mechanism in ("mcar", "mar", "mnar", "mnar_outcome", "mnar_severity", "collider"):
        config = SimulationConfig(
            patients=BIG, mechanism=mechanism, missing={"imaging": 0.6}, missing_slope=3.0, prevalence=0.3
        )
        population = draw_population(config)
        train = population.split == "train"
        assert population.present["imaging"][train].mean() == pytest.approx(0.4, abs=0.02), mechanism


def _association(present: np.ndarray, driver: np.ndarray) -> float:
    return float(np.corrcoef(present, driver)[0, 1])


@pytest.mark.parametrize(
    ("mechanism", "driven_by"),
    [("mcar", ""), ("mar", "age"), ("mnar", "u"), ("mnar_outcome", "y")],
)
def test_presence_follows_its_mechanism_and_nothing_in_the_shifted_split(mechanism: str, driven_by: str) -> None:
    config = SimulationConfig(patients=BIG, mechanism=mechanism, confounding=0.5)
    population = draw_population(config)
    train, shifted = (population.split == name for name in ("train", "test_shifted_missingness"))
    for name, driver in (("u", population.u), ("y", population.y), ("age", population.age)):
        found = abs(_association(population.present["imaging"][train], driver[train]))
        if name == driven_by:
            assert found > 0.3
        elif (driven_by, name) in (("age", "y"), ("y", "age")):
            assert found < 0.3  # age follows the outcome a little
        else:
            assert found < 0.04
        assert abs(_association(population.present["imaging"][shifted], driver[shifted])) < 0.06


def test_propensities_are_calibrated() -> None:
    population = draw_population(SimulationConfig(patients=BIG, mechanism="collider", missing_slope=1.0))
    chance, present = population.propensity["imaging"], population.present["imaging"]
    for low, high in ((0.1, 0.3), (0.3, 0.5), (0.5, 0.7), (0.7, 0.9)):
        rows = (chance >= low) & (chance < high)
        assert present[rows].mean() == pytest.approx(chance[rows].mean(), abs=0.03)


@pytest.mark.parametrize("fidelity", [0.0, 0.7, 1.0])
def test_sites_tell_the_practice_as_faithfully_as_asked(fidelity: float) -> None:
    population = draw_population(SimulationConfig(patients=BIG, site_fidelity=fidelity))
    assert (population.site % 2 == population.u).mean() == pytest.approx(0.5 + fidelity / 2, abs=0.01)
    assert len(np.unique(population.site)) == 8


def test_an_odd_number_of_sites() -> None:
    population = draw_population(SimulationConfig(patients=2000, sites=3, site_fidelity=1.0))
    assert set(population.site[population.u == 0]) == {0, 2}
    assert set(population.site[population.u == 1]) == {1}


def test_label_noise_and_blanks_stay_out_of_the_test_splits() -> None:
    population = draw_population(SimulationConfig(patients=BIG, label_noise=0.2, unlabelled=0.1))
    fitted = np.isin(population.split, ["train", "tuning"])
    assert (population.label[~fitted] == population.y[~fitted]).all()
    assert (population.label[fitted] == -1).mean() == pytest.approx(0.1, abs=0.01)
    labelled = fitted & (population.label >= 0)
    assert (population.label != population.y)[labelled].mean() == pytest.approx(0.2, abs=0.015)


def test_a_causal_bias_is_a_cause_everywhere_and_not_u() -> None:
    population = draw_population(SimulationConfig(patients=BIG, bias_causal=True))
    for split in SPLITS:
        rows = population.split == split
        assert (population.bias == population.y)[rows].mean() == pytest.approx(0.9, abs=0.02)
        assert (population.u == population.y)[rows].mean() == pytest.approx(0.5, abs=0.03)


def test_one_knob_leaves_the_other_draws_alone() -> None:
    plain = draw_population(SimulationConfig(patients=500))
    noisy = draw_population(SimulationConfig(patients=500, label_noise=0.3, missing={"imaging": 0.6}))
    assert (plain.y == noisy.y).all()
    assert (plain.values["imaging"] == noisy.values["imaging"]).all()
    assert (plain.present["labs"] == noisy.present["labs"]).all()


def test_no_two_subjects_share_an_index_across_splits() -> None:
    population = draw_population(SimulationConfig(patients=2000, repeats=0.5))
    pairs = {(int(subject), str(split)) for subject, split in zip(population.subject, population.split)}
    assert len(pairs) == len(set(population.subject.tolist()))
