from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import kstest, norm

from gdsfd.simulation.config import SPLITS, SimulationConfig
from gdsfd.simulation.population import Population, draw_population
from gdsfd.simulation.practices import levels, link_of, writing_of

BIG = 10_000


@pytest.fixture(scope="module")
def graded() -> Population:
    return draw_population(SimulationConfig(patients=BIG, graded=True, site_fidelity=0.5))


@pytest.fixture(scope="module")
def three() -> Population:
    return draw_population(SimulationConfig(patients=BIG, practices=3, sites=9, site_fidelity=0.5))


def test_link_of_a_graded_practice_solves_its_integral() -> None:
    config = SimulationConfig(graded=True)
    beta = link_of(config, 0.9)
    share = quad(lambda u: 2 * norm.pdf(u) * expit(beta * u), 0, 20)[0]
    assert share == pytest.approx(0.9, abs=2e-4)
    assert link_of(config, 0.1) == pytest.approx(-beta, rel=1e-6)


def test_a_graded_practice_is_normal_in_every_split_and_leans_as_asked(graded: Population) -> None:
    wanted = dict.fromkeys(SPLITS, 0.9) | {"test_unbiased": 0.5, "test_flipped": 0.1}
    for split, share in wanted.items():
        rows = graded.split == split
        u = graded.u[rows]
        assert kstest(u, "norm").pvalue > 1e-3, split
        assert np.mean((u > 0) == (graded.y[rows] == 1)) == pytest.approx(share, abs=0.025), split


def test_the_outcome_follows_a_graded_practice_by_its_link(graded: Population) -> None:
    train = graded.split == "train"
    beta = link_of(SimulationConfig(graded=True), 0.9)
    for low, high in ((-0.4, -0.1), (-0.1, 0.1), (0.1, 0.4)):
        rows = train & (graded.u >= low) & (graded.u < high)
        assert graded.y[rows].mean() == pytest.approx(expit(beta * graded.u[rows]).mean(), abs=0.04)


def test_sites_of_a_graded_practice_follow_its_sign(graded: Population) -> None:
    assert np.mean(graded.site % 2 == (graded.u > 0)) == pytest.approx(0.75, abs=0.01)


def test_three_practices_are_equally_frequent_and_the_middle_one_is_neutral(three: Population) -> None:
    for split, share in {"train": 0.9, "test_unbiased": 0.5, "test_flipped": 0.1}.items():
        rows = three.split == split
        u, y = three.u[rows], three.y[rows]
        assert np.bincount(u, minlength=3) / len(u) == pytest.approx([1 / 3] * 3, abs=0.03), split
        assert y[u == 1].mean() == pytest.approx(0.5, abs=0.03), split
        assert y[u == 2].mean() == pytest.approx(share, abs=0.03), split
        assert y[u == 0].mean() == pytest.approx(1 - share, abs=0.03), split


def test_any_two_of_three_practices_are_as_far_apart_as_two_are(three: Population) -> None:
    config = SimulationConfig(practices=3, sites=9)
    for name in ("labs", "imaging"):
        shift = three.effects[name].biased
        written = writing_of(config, np.arange(3), shift)
        distance = [np.sum((written[a] - written[b]) ** 2) for a, b in ((0, 1), (0, 2), (1, 2))]
        assert distance == pytest.approx([np.sum((2 * shift) ** 2)] * 3)
        rows = three.u == 1
        of_outcome = three.effects[name].causal * (2 * three.y[rows].mean() - 1)
        assert three.values[name][rows].mean(0) == pytest.approx(written[1] + of_outcome, abs=0.06)


def test_sites_of_three_practices(three: Population) -> None:
    assert np.mean(three.site % 3 == three.u) == pytest.approx(1 / 3 + 0.5 * 2 / 3, abs=0.01)
    assert list(levels(SimulationConfig(practices=3))) == [-1, 0, 1]


def test_more_sites_of_one_practice_than_of_another() -> None:
    found = draw_population(SimulationConfig(patients=2000, practices=3, sites=4, site_fidelity=1.0))
    assert [set(found.site[found.u == u]) for u in range(3)] == [{0, 3}, {1}, {2}]


@pytest.mark.parametrize("options", [{"graded": True}, {"practices": 3, "sites": 9}])
def test_presence_follows_the_practice(options: dict) -> None:
    found = draw_population(SimulationConfig(patients=BIG, confounding=0.5, **options))
    train = found.split == "train"
    present = found.present["imaging"][train]
    assert abs(np.corrcoef(present, found.u[train])[0, 1]) > 0.3
    assert abs(np.corrcoef(present, found.y[train])[0, 1]) < 0.04


@pytest.mark.parametrize("share", [0.0, 1.0])
@pytest.mark.parametrize("options", [{"graded": True}, {"practices": 3, "sites": 9}])
def test_certain_agreement(share: float, options: dict) -> None:
    found = draw_population(SimulationConfig(patients=500, confounding=share, **options))
    side = np.sign(found.u - (0 if "graded" in options else 1))
    train = (found.split == "train") & (side != 0)
    assert np.mean(side[train] == 2 * found.y[train] - 1) == share
