"""Stratified draws of prototypes."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

import gdsfd
from gdsfd.nn.adjustment.config import PrototypeConfig
from gdsfd.nn.adjustment.prototypes import Prototypes
from gdsfd.nn.adjustment.sampling import draw, order_of_strata
from gdsfd.nn.adjustment.stratum_groups import StratumGroups
from gdsfd.nn.adjustment.stratum_head import StratumHead
from gdsfd.nn.losses import outcome_loss
from gdsfd.simulation import load_truth


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture
def table() -> dict[str, Tensor]:
    """Twelve strata of five groups, whose numbers are neither in order nor without gaps."""
    generator = torch.Generator().manual_seed(0)
    mass = torch.rand(12, generator=generator)
    return {
        "center": torch.randn(12, 3, generator=generator),
        "mass": mass / mass.sum(),
        "group": torch.tensor([4, 0, 7, 7, 2, 0, 1, 4, 4, 2, 0, 0]),
    }


@pytest.mark.parametrize("scored", [False, True])
@pytest.mark.parametrize("draws", [1, 3, 8, 24])
def test_weighted_sums_are_unbiased(table: dict[str, Tensor], draws: int, scored: bool) -> None:
    generator = torch.Generator().manual_seed(1)
    f = torch.randn(12, generator=generator)
    score = f + 0.1 if scored else None
    number = 20000
    got = draw(**table, draws=draws, sets=number, score=score, generator=generator)
    sums = (got.weight * f[got.ids]).sum(1)
    error = sums.std() / number**0.5
    assert abs(sums.mean() - table["mass"] @ f) < 4 * error
    torch.testing.assert_close(got.weight.sum(1), torch.ones(number))


@pytest.mark.parametrize("draws", [3, 8])
def test_every_group_gets_its_draws_rounded_up_or_down(table: dict[str, Tensor], draws: int) -> None:
    got = draw(**table, draws=draws, sets=2000, generator=torch.Generator().manual_seed(1))
    of = table["group"][got.ids]
    for group in table["group"].unique():
        wanted = draws * table["mass"][table["group"] == group].sum()
        count = (of == group).sum(1).float()
        assert count.min() >= wanted.floor()
        assert count.max() <= wanted.ceil()
        assert abs(count.mean() - wanted) < 4 * count.std() / 2000**0.5 + 1e-6
    torch.testing.assert_close(got.weight, torch.full((2000, draws), 1 / draws))  # some group is not sure of a draw


def test_effect_of_groups_alone_adds_no_variance_with_a_draw_for_each() -> None:
    group = torch.arange(12) % 5
    mass = torch.rand(12) + 0.5
    effect = torch.randn(5)[group]
    got = draw(torch.zeros(12, 3), mass / mass.sum(), group, 40, sets=200)  # 40 draws: each group is sure of one
    assert (got.weight * effect[got.ids]).sum(1).std() < 1e-6


def test_shapes_of_one_set_and_of_several(table: dict[str, Tensor]) -> None:
    shared = draw(**table, draws=6)
    assert (shared.ids.shape, shared.centers.shape, shared.weight.shape) == ((6,), (6, 3), (6,))
    assert torch.equal(shared.centers, table["center"][shared.ids])
    each = draw(**table, draws=6, sets=5)
    assert (each.ids.shape, each.centers.shape, each.weight.shape) == ((5, 6), (5, 6, 3), (5, 6))
    assert len(each.ids.unique(dim=0)) > 1


def test_a_generator_gives_the_same_draws_and_leaves_the_global_one(table: dict[str, Tensor]) -> None:
    before = torch.get_rng_state()
    first, second = (draw(**table, draws=4, generator=torch.Generator().manual_seed(9)) for _ in range(2))
    assert torch.equal(first.ids, second.ids)
    assert torch.equal(first.centers, second.centers)
    assert torch.equal(torch.get_rng_state(), before)


def test_one_stratum_and_strata_without_mass() -> None:
    one = draw(torch.ones(1, 2), torch.ones(1), torch.zeros(1, dtype=torch.long), 3, sets=2)
    assert (one.ids == 0).all()
    torch.testing.assert_close(one.weight, torch.full((2, 3), 1 / 3))
    mass, group = torch.tensor([0.0, 0.5, 0.0, 0.5, 0.0]), torch.tensor([0, 0, 1, 2, 2])
    got = draw(torch.zeros(5, 2), mass, group, 5, sets=500, score=torch.rand(5))
    assert set(got.ids.unique().tolist()) == {1, 3}
    torch.testing.assert_close(got.weight.sum(1), torch.ones(500))


def test_the_order_is_that_of_the_output_which_varies_most() -> None:
    outcome = torch.tensor([[[0.2, 0.5], [0.6, 0.5], [0.9, 0.5]], [[0.2, 0.5], [0.2, 0.5], [0.1, 0.5]]])
    score = order_of_strata(outcome, torch.tensor([0.1, 0.3, 0.6]))
    torch.testing.assert_close(score, torch.tensor([0.2, 0.4, 0.5]))  # of the first output: the second is constant


@dataclass
class Fitted:
    """Predicted probabilities of test patients under all strata of a simulated cohort."""

    outcome: Tensor  # [patients, S]
    first: Tensor  # of other patients, for the pilot
    mass: Tensor
    group: Tensor


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Fitted:
    """A head fitted to outcomes given causal evidence and the own stratum: missingness pattern x biased evidence."""
    truth = load_truth(gdsfd.simulate(tmp_path_factory.mktemp("simulated") / "exports", patients=2000, seed=0))
    names, patients = truth.config.names, truth.patients

    def columns(kind: str, split: str) -> Tensor:
        rows = patients[patients.split == split]
        return torch.tensor(rows[[f"{kind}_{name}" for name in names]].to_numpy(float), dtype=torch.float32)

    presence, biased = columns("present", "train").bool(), columns("biased", "train")
    y = torch.tensor(patients[patients.split == "train"].y.to_numpy(float), dtype=torch.float32).unsqueeze(1)
    config = PrototypeConfig(strata=("pattern", "cluster"), least=20)
    groups, prototypes = StratumGroups(), Prototypes(len(names), config)
    groups.fit(presence, None, config.least)
    group = groups(presence, None)
    prototypes.fit(biased, group, torch.Generator().manual_seed(0))
    stratum = prototypes.assign(biased, group)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        fusion = StratumHead(len(names), 1)
    optimiser = torch.optim.Adam(fusion.parameters(), 1e-2)
    for _ in range(150):
        optimiser.zero_grad()
        outcome_loss(fusion.own(columns("causal", "train"), prototypes.center[stratum]), y).backward()
        optimiser.step()
    with torch.no_grad():
        outcome = fusion(columns("causal", "test"), prototypes.center).sigmoid().squeeze(-1)
        first = fusion(columns("causal", "train")[:16], prototypes.center).sigmoid()
    return Fitted(outcome[:200], first, prototypes.mass, prototypes.group)


@pytest.fixture(scope="module")
def no_centers() -> Tensor:
    return torch.zeros(512, 1)


@pytest.mark.parametrize("draws", [8, 16, 32])
def test_half_the_variance_of_independent_draws(fitted: Fitted, no_centers: Tensor, draws: int) -> None:
    """Patterns alone halve it about (0.46 at eight draws here); with the pilot's order a fifth is left."""
    times, generator = 4000, torch.Generator().manual_seed(1)
    exact = fitted.outcome @ fitted.mass  # [patients]
    assert fitted.outcome.std(1).mean() > 0.05, "strata that do not matter would show nothing"

    independent = torch.multinomial(fitted.mass, times * draws, True, generator=generator).view(times, draws)
    plain = fitted.outcome[:, independent].mean(-1)
    score = order_of_strata(fitted.first, fitted.mass)
    spent = {}
    for kind, order in (("patterns", None), ("pilot", score)):
        got = draw(no_centers, fitted.mass, fitted.group, draws, sets=times, score=order, generator=generator)
        estimate = (fitted.outcome[:, got.ids] * got.weight).sum(-1)
        error = estimate.std(1) / times**0.5
        assert ((estimate.mean(1) - exact).abs() < 5 * error).all()
        spent[kind] = (estimate.var(1).mean() / plain.var(1).mean()).item()
    assert spent["pilot"] < 0.5
    assert spent["pilot"] < spent["patterns"] < 0.75


def test_strata_without_effect_gain_nothing_but_lose_nothing(fitted: Fitted, no_centers: Tensor) -> None:
    generator, times = torch.Generator().manual_seed(2), 20000
    f = torch.randn(fitted.mass.numel(), generator=generator)  # nothing to do with patterns
    independent = torch.multinomial(fitted.mass, times * 8, True, generator=generator).view(times, 8)
    got = draw(no_centers, fitted.mass, fitted.group, 8, sets=times, generator=generator)
    assert (f[got.ids] * got.weight).sum(1).var() < 1.05 * f[independent].mean(1).var()
