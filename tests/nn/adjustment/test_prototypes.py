"""Prototypes: masses, every patient in one stratum, refits, moving averages, placebos, checkpoints."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from gdsfd.errors import InputError, NotFittedError
from gdsfd.nn.adjustment.config import PrototypeConfig
from gdsfd.nn.adjustment.prototypes import Prototypes

CONFIG = PrototypeConfig(strata=("pattern", "cluster"), least=50, clusters=4)


def cohort(patients: int = 1000, width: int = 6, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Codes on several scales and groups of very different sizes, one of them below ``least``."""
    generator = torch.Generator().manual_seed(seed)
    group = torch.multinomial(torch.tensor([0.55, 0.28, 0.13, 0.04]), patients, True, generator=generator)
    codes = torch.randn(patients, width, generator=generator) * torch.logspace(-2, 2, width) + 3
    return codes + group.unsqueeze(1), group


def fitted(config: PrototypeConfig = CONFIG, seed: int = 0) -> Prototypes:
    codes, group = cohort()
    prototypes = Prototypes(codes.size(1), config)
    prototypes.fit(codes, group, torch.Generator().manual_seed(seed))
    return prototypes


def snapshot(prototypes: Prototypes) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in prototypes.state_dict().items()}


def test_masses_sum_to_one_and_are_smoothed_shares() -> None:
    prototypes = fitted()
    assert float(prototypes.mass.sum()) == pytest.approx(1)
    expected = (prototypes.count + 1) / (1000 + prototypes.num_strata)
    torch.testing.assert_close(prototypes.mass, expected)
    prototypes = fitted(replace(CONFIG, smoothing=0.0))
    torch.testing.assert_close(prototypes.mass, prototypes.count / 1000)
    prototypes = fitted(replace(CONFIG, mass="uniform"))
    torch.testing.assert_close(prototypes.mass, torch.full((prototypes.num_strata,), 1 / prototypes.num_strata))


def test_every_training_patient_is_in_one_stratum_of_the_own_group() -> None:
    codes, group = cohort()
    prototypes = fitted()
    ids = prototypes.assign(codes, group)
    assert prototypes.group[ids].equal(group)
    assert torch.bincount(ids, minlength=prototypes.num_strata).equal(prototypes.count.long())
    assert int(prototypes.count.sum()) == len(codes)
    assert prototypes.count.min() > 0


def test_centre_total_and_spread_are_those_of_the_stratum() -> None:
    codes, group = cohort()
    prototypes = fitted()
    units = (codes - codes.mean(0)) / codes.std(0, correction=0)
    torch.testing.assert_close(prototypes.standardise(codes), units, rtol=1e-4, atol=1e-4)
    ids = prototypes.assign(codes, group)
    for stratum in range(prototypes.num_strata):
        mine = units[ids == stratum]
        torch.testing.assert_close(
            prototypes.center[stratum], mine.mean(0), rtol=0, atol=0.15
        )  # 20 steps may not settle
        spread = (mine - prototypes.center[stratum]).square().mean(0).sqrt()
        torch.testing.assert_close(prototypes.spread[stratum], spread, rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(prototypes.total[stratum], prototypes.center[stratum] * len(mine))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, [4, 4, 2, 1]),
        ({"clusters": 1}, [1, 1, 1, 1]),
        ({"strata": ("pattern",)}, [1, 1, 1, 1]),
        ({"least": 1}, [4] * 4),
    ],
)
def test_number_of_centres_follows_the_patients_of_the_group(change: dict[str, object], expected: list[int]) -> None:
    prototypes = fitted(replace(CONFIG, **change))  # type: ignore[arg-type]
    assert torch.bincount(prototypes.group).tolist() == expected


def test_one_stratum_per_group_is_the_mean_of_the_group() -> None:
    codes, group = cohort()
    prototypes = fitted(replace(CONFIG, strata=("pattern",)))
    for g in range(4):
        torch.testing.assert_close(
            prototypes.center[g], prototypes.standardise(codes)[group == g].mean(0), atol=1e-5, rtol=1e-4
        )


def test_asking_changes_nothing_and_does_not_depend_on_others() -> None:
    prototypes, before = fitted(), snapshot(fitted())
    codes, group = cohort(300, seed=9)
    together = prototypes.eval().assign(codes, group)
    alone = torch.cat([prototypes.assign(codes[i : i + 1], group[i : i + 1]) for i in range(len(codes))])
    assert alone.equal(together)
    assert all(value.equal(before[name]) for name, value in prototypes.state_dict().items())
    assert prototypes.assign(codes[:0], group[:0]).shape == (0,)


def test_patients_of_a_group_without_strata_take_the_nearest_of_all() -> None:
    prototypes = fitted()
    raw = prototypes.center * prototypes.scale + prototypes.mean
    assert prototypes.assign(raw, torch.full((len(raw),), 17)).tolist() == list(range(len(raw)))


def test_no_gradient_passes() -> None:
    codes, group = cohort()
    prototypes = fitted()
    codes.requires_grad_()
    assert not prototypes.standardise(codes).requires_grad
    prototypes.fit(codes, group)
    prototypes.update(codes, group)
    assert not any(buffer.requires_grad for buffer in prototypes.buffers())


def test_a_channel_that_does_not_vary_is_left_unscaled() -> None:
    codes, group = cohort()
    codes[:, 0], codes[:, 1] = 0.1, 0.0
    prototypes = Prototypes(6, CONFIG)
    prototypes.fit(codes, group)
    assert prototypes.scale[:2].tolist() == [1, 1]
    assert float(prototypes.center[:, :2].abs().max()) < 1e-6


def test_the_scale_of_the_codes_does_not_matter() -> None:
    codes, group = cohort()
    prototypes = Prototypes(6, CONFIG)
    prototypes.fit(codes * 64 - 5, group, torch.Generator().manual_seed(0))
    torch.testing.assert_close(prototypes.center, fitted().center, rtol=1e-3, atol=1e-3)


def test_identical_patients_are_one_stratum() -> None:
    prototypes = Prototypes(3, replace(CONFIG, least=1))
    prototypes.fit(torch.full((30, 3), 2.5), torch.zeros(30, dtype=torch.long))
    assert prototypes.num_strata == 1
    assert prototypes.count.tolist() == [30]
    assert prototypes.center.isfinite().all()
    prototypes.fit(torch.full((1, 3), 2.5), torch.zeros(1, dtype=torch.long))
    assert prototypes.mass.tolist() == [1]


def test_a_seed_gives_the_same_strata() -> None:
    first, again = snapshot(fitted(seed=3)), snapshot(fitted(seed=3))
    assert all(value.equal(again[name]) for name, value in first.items())


def test_strata_keep_their_numbers_at_a_refit() -> None:
    generator = torch.Generator().manual_seed(2)
    middle = torch.randn(12, 6, generator=generator) * 30
    blob = torch.arange(1200) % 12
    group = blob // 4
    codes = middle[blob] + torch.randn(1200, 6, generator=generator)
    prototypes = Prototypes(6, CONFIG)
    for seed in range(50):  # a fit that finds every blob
        prototypes = Prototypes(6, CONFIG)
        prototypes.fit(codes, group, torch.Generator().manual_seed(seed))
        if prototypes.count.tolist() == [100] * 12:
            break
    ids = prototypes.assign(codes, group)
    kept = moved = 0
    for seed in range(100, 130):
        fresh, again = Prototypes(6, CONFIG), Prototypes(6, CONFIG)
        again.load_state_dict(prototypes.state_dict())
        drifted = 2 * codes + 0.5 * torch.randn(1200, 6, generator=generator) + 7
        for module in (fresh, again):
            module.fit(drifted, group, torch.Generator().manual_seed(seed))
        if again.count.tolist() == [100] * 12:
            kept += again.assign(drifted, group).equal(ids)
            moved += not fresh.assign(drifted, group).equal(ids)
    assert kept == moved > 5  # every one of the refits that found all blobs; none of them without the pairing


def test_moving_averages_are_the_formula() -> None:
    codes, group = cohort()
    prototypes = fitted(replace(CONFIG, update="ema", decay=0.9))
    before, batch = snapshot(prototypes), torch.arange(100)
    ids = prototypes.assign(codes[batch], group[batch])
    units = prototypes.standardise(codes[batch])
    prototypes.update(codes[batch], group[batch])
    for stratum in range(prototypes.num_strata):
        mine, old = units[ids == stratum], before["center"][stratum]
        count = 0.9 * before["count"][stratum] + 0.1 * 10 * len(mine)
        total = 0.9 * before["total"][stratum] + 0.1 * 10 * mine.sum(0)
        squares = 0.9 * before["count"][stratum] * before["spread"][stratum] ** 2
        squares = squares + 0.1 * 10 * (mine - old).square().sum(0)
        torch.testing.assert_close(prototypes.count[stratum], count)
        torch.testing.assert_close(prototypes.total[stratum], total)
        torch.testing.assert_close(prototypes.center[stratum], total / count)
        torch.testing.assert_close(prototypes.spread[stratum], (squares / count).sqrt())
    assert prototypes.mean.equal(before["mean"])
    assert float(prototypes.count.sum()) == pytest.approx(1000, rel=1e-4)


@pytest.mark.parametrize("size", [40, 1000])
def test_moving_averages_keep_counts_in_patients_whatever_the_batch(size: int) -> None:
    codes, group = cohort()
    prototypes = fitted(replace(CONFIG, decay=0.99))
    mass = prototypes.mass
    generator = torch.Generator().manual_seed(0)
    for _ in range(400):
        batch = torch.randperm(1000, generator=generator)[:size]
        prototypes.update(codes[batch], group[batch])
    assert float(prototypes.count.sum()) == pytest.approx(1000, rel=0.01)
    shares = torch.bincount(group) / 1000
    found = torch.zeros(4).index_add(0, prototypes.group, prototypes.mass)
    torch.testing.assert_close(found, shares, rtol=0.25, atol=0.02)
    assert float((prototypes.mass - mass).abs().sum()) < 0.5


def test_moving_averages_follow_codes_that_move() -> None:
    codes, group = cohort()
    prototypes = fitted(replace(CONFIG, strata=("pattern",), decay=0.9))
    raw = prototypes.center.clone()
    for _ in range(200):
        prototypes.update(codes + prototypes.scale, group)
    torch.testing.assert_close(prototypes.center, raw + 1, atol=1e-3, rtol=1e-3)


def test_a_stratum_left_by_its_patients_starts_again_at_the_farthest_of_its_group() -> None:
    codes, group = cohort()
    prototypes = fitted(replace(CONFIG, decay=0.9))
    dead = int((prototypes.group == 1).nonzero()[0])
    prototypes.center[dead] += 1000
    prototypes.total[dead] += 1000 * prototypes.count[dead]
    others = [int(s) for s in (prototypes.group == 1).nonzero() if int(s) != dead]
    for _ in range(100):
        if float(prototypes.center[dead].abs().max()) < 100:
            break
        before = prototypes.center.clone()
        prototypes.update(codes, group)
    assert float(before[dead].abs().max()) > 100  # only the last step re-seeded it
    assert float(prototypes.count[dead]) == pytest.approx(1)
    mine = prototypes.standardise(codes[group == 1])
    ids = torch.cdist(mine, before[others]).argmin(1)
    farthest = (mine - prototypes.center[others][ids]).square().sum(1).argmax()
    torch.testing.assert_close(prototypes.center[dead], mine[farthest])
    prototypes.update(codes, group)
    assert int((prototypes.assign(codes, group) == dead).sum()) >= 1


def test_a_stratum_that_nobody_can_restart_stays_where_it_was() -> None:
    codes, group = cohort()
    prototypes = fitted(replace(CONFIG, decay=0.5))
    last = int((prototypes.group == 3).nonzero())
    center = prototypes.center[last].clone()
    for _ in range(300):
        prototypes.update(codes[group != 3], group[group != 3])
    assert float(prototypes.count[last]) < 1e-6
    torch.testing.assert_close(prototypes.center[last], center, rtol=1e-3, atol=1e-4)
    assert all(buffer.isfinite().all() for buffer in prototypes.buffers())
    prototypes.update(codes[:0], group[:0])


def test_random_prototypes_have_the_moments_of_the_codes_and_know_no_group() -> None:
    generator = torch.Generator().manual_seed(0)
    mix = torch.randn(4, 4, generator=generator)
    codes = torch.randn(4000, 4, generator=generator) @ mix + 2
    group = torch.randint(0, 300, (4000,), generator=generator)
    prototypes = Prototypes(4, PrototypeConfig(strata=("cluster",), least=1, clusters=10, placebo="random"))
    prototypes.fit(codes, group, generator)
    real = Prototypes(4, PrototypeConfig(strata=("cluster",), least=1, clusters=10))
    real.fit(codes, group, generator)
    assert prototypes.num_strata == real.num_strata > 2500
    units = prototypes.standardise(codes)
    torch.testing.assert_close(prototypes.center.mean(0), torch.zeros(4), atol=0.08, rtol=0)
    torch.testing.assert_close(torch.cov(prototypes.center.T), torch.cov(units.T), atol=0.12, rtol=0)
    assert prototypes.group.unique().tolist() == [0]
    assert prototypes.assign(codes, group).equal(prototypes.assign(codes, group.flip(0)))
    assert prototypes.assign(codes[:200], group[:200]).equal(torch.cdist(units[:200], prototypes.center).argmin(1))
    assert int(prototypes.count.sum()) == 4000


def test_random_prototypes_stay_where_they_are() -> None:
    codes, group = cohort()
    prototypes = fitted(replace(CONFIG, placebo="random"))
    center = prototypes.center.clone()
    prototypes.update(codes, group)
    prototypes.fit(codes * 2, group)
    assert prototypes.center.equal(center)
    assert float(prototypes.mass.sum()) == pytest.approx(1)


def test_shuffled_strata_are_dealt_out_in_training_only() -> None:
    codes, group = cohort()
    prototypes, real = fitted(replace(CONFIG, placebo="shuffled")), fitted()
    assert prototypes.shuffle
    assert not real.shuffle
    assert prototypes.center.equal(real.center)
    ids = real.assign(codes, group)
    assert prototypes.eval().assign(codes, group).equal(ids)
    torch.manual_seed(0)
    dealt = prototypes.train().assign(codes, group)
    assert torch.bincount(dealt).equal(torch.bincount(ids))  # masses as they were
    by_chance = float(real.count.div(1000).square().sum())
    assert float((dealt == ids).float().mean()) == pytest.approx(by_chance, abs=0.05)
    prototypes.update(codes, group)
    real.update(codes, group)
    assert prototypes.center.equal(real.center)


def test_masses_of_a_target_site() -> None:
    prototypes = fitted()
    share = torch.arange(prototypes.num_strata).float()
    prototypes.target(share)
    torch.testing.assert_close(prototypes.mass, share / share.sum())
    fresh = Prototypes(6, CONFIG)
    fresh.load_state_dict(prototypes.state_dict())
    assert fresh.mass.equal(prototypes.mass)
    prototypes.target(None)
    torch.testing.assert_close(prototypes.mass, fitted().mass)
    prototypes.target(share)
    prototypes.fit(*cohort())
    assert not prototypes.target_mass.numel()
    for wrong in (share[1:], -share, share * 0, share / 0):
        with pytest.raises(InputError, match=rf"expected {prototypes.num_strata} finite shares of at least 0"):
            prototypes.target(wrong)


def test_a_fresh_module_loads_what_was_fitted(tmp_path: Path) -> None:
    prototypes, fresh = fitted(), Prototypes(6, CONFIG)
    save_file(prototypes.state_dict(), tmp_path / "prototypes.safetensors")
    fresh.load_state_dict(load_file(tmp_path / "prototypes.safetensors"), strict=True)
    codes, group = cohort(200, seed=4)
    assert fresh.assign(codes, group).equal(prototypes.assign(codes, group))
    assert fresh.mass.equal(prototypes.mass)
    assert bool(fresh.fitted)
    # Back to an earlier epoch that had other strata, and an unfitted one.
    other = fitted(replace(CONFIG, clusters=2))
    other.load_state_dict(prototypes.state_dict())
    assert other.center.equal(prototypes.center)
    other.load_state_dict(Prototypes(6, CONFIG).state_dict())
    assert other.num_strata == 0
    with pytest.raises(RuntimeError, match=r"size mismatch for mean"):
        Prototypes(5, CONFIG).load_state_dict(prototypes.state_dict())


def test_codes_from_inference_mode_do_not_break_training() -> None:
    codes, group = cohort()
    with torch.inference_mode():
        seen = codes * 1
    prototypes = Prototypes(6, CONFIG)
    prototypes.fit(seen, group)
    weight = torch.ones(6, requires_grad=True)
    (prototypes.center * weight).sum().backward()
    assert weight.grad is not None


def test_errors_say_what_was_expected() -> None:
    prototypes = Prototypes(6, CONFIG)
    codes, group = cohort(40)
    for ask in (prototypes.assign, prototypes.update):
        with pytest.raises(NotFittedError, match="call fit"):
            ask(codes, group)
    with pytest.raises(InputError, match=r"codes \[patients, 6\] .* got \(40, 5\) and \(40,\)"):
        prototypes.fit(codes[:, :5], group)
    with pytest.raises(InputError, match=r"got \(40, 6\) and \(39,\)"):
        prototypes.fit(codes, group[1:])
    with pytest.raises(InputError, match="at least one patient"):
        prototypes.fit(codes[:0], group[:0])
    codes[[3, 7], 2] = torch.nan
    with pytest.raises(InputError, match=r"codes of 2 of 40 patients are not finite, first at rows \[3, 7\]"):
        prototypes.fit(codes, group)
