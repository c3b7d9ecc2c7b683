"""Effect sizes add up to the separation asked for, and cells say what their densities say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import bernoulli, norm

from gdsfd.simulation.catalogue import CATALOGUE
from gdsfd.simulation.config import SimulationConfig
from gdsfd.simulation.effects import effects_of, log_ratio, logit


def information(name: str, shift: np.ndarray) -> np.ndarray:
    """Squared separation of each column: ``(2 m)^2`` of a number, ``(2 m)^2 p (1 - p)`` of a code."""
    spread = [
        np.sqrt(feature.centre * (1 - feature.centre)) if CATALOGUE[name].kind == "codes" else 1.0
        for feature in CATALOGUE[name].features
    ]
    return (2 * shift * spread) ** 2


@pytest.mark.parametrize("bias", [("labs",), ("labs", "imaging", "history"), ("labs", "notes"), ()])
@pytest.mark.parametrize("separable", [False, True])
def test_squared_separations_add_up_over_modalities_and_columns(bias: tuple[str, ...], separable: bool) -> None:
    config = SimulationConfig(
        modalities=8, bias_modalities=bias, causal_strength=1.7, bias_strength=1.2, separable=separable
    )
    effects = effects_of(config)
    causal = {name: information(name, own.causal) for name, own in effects.items()}
    biased = {name: information(name, own.biased) for name, own in effects.items()}
    assert sum(each.sum() for each in causal.values()) == pytest.approx((9.0 if separable else 1.7) ** 2)
    assert sum(each.sum() for each in biased.values()) == pytest.approx((1.2 * 1.7) ** 2 if bias else 0.0)
    for name, own in effects.items():
        for role, found in (("causal", causal[name]), ("biased", biased[name])):
            members = np.array([held == role for held in own.role])
            assert (found[~members] == 0).all()
            assert np.ptp(found[members]) == pytest.approx(0) if members.any() else True
        assert ("biased" in own.role) == (name in bias)
    shares = [each.sum() for each in causal.values()]
    assert np.ptp(shares) == pytest.approx(0)  # every modality carries the same


def test_a_column_s_sign_says_which_way_it_goes() -> None:
    for name, own in effects_of(SimulationConfig(modalities=8)).items():
        for feature, shift in zip(CATALOGUE[name].features, own.causal + own.biased):
            assert shift == 0 or np.sign(shift) == feature.sign


def test_numbers_say_what_their_normal_densities_say() -> None:
    random = np.random.default_rng(0)
    width = len(CATALOGUE["labs"].features)
    values, shift = random.normal(size=(20, width)), random.normal(size=width)
    np.testing.assert_allclose(
        log_ratio("labs", values, shift), norm.logpdf(values, shift) - norm.logpdf(values, -shift), atol=1e-10
    )


def test_codes_say_what_having_them_and_not_having_them_says() -> None:
    random = np.random.default_rng(1)
    prevalence = np.array([feature.centre for feature in CATALOGUE["history"].features])
    values = (random.random((20, len(prevalence))) < 0.5).astype(float)
    shift = random.normal(size=len(prevalence))
    high, low = (1 / (1 + np.exp(-(np.log(prevalence / (1 - prevalence)) + sign * shift))) for sign in (1, -1))
    expected = bernoulli.logpmf(values, high) - bernoulli.logpmf(values, low)
    np.testing.assert_allclose(log_ratio("history", values, shift), expected, atol=1e-10)


@pytest.mark.parametrize("probability", [0.0008, 0.3, 0.5, 0.99])
def test_logit_is_the_inverse_of_the_sigmoid(probability: float) -> None:
    assert 1 / (1 + np.exp(-logit(probability))) == pytest.approx(probability)


def test_code_evidence_is_zero_without_shift() -> None:
    values = np.array([[0.0], [1.0]]).repeat(len(CATALOGUE["history"].features), axis=1)
    assert np.allclose(log_ratio("history", values, np.zeros(values.shape[1])), 0.0)
