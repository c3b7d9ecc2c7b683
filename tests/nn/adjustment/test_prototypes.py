"""Prototypes: masses, every patient in one stratum, refits, the placebo, checkpoints."""

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


def test_every_training_patient_is_in_one_stratum_of_the_own_group() -> None:
    codes, group = cohort()
    prototypes = fitted()
    ids = prototypes.assign(codes, group)
    assert prototypes.group[ids].equal(group)
    assert torch.bincount(ids, minlength=prototypes.num_strata).equal(prototypes.count.long())
    assert int(prototypes.count.sum()) == len(codes)
    assert prototypes.count.min() > 0


def test_centres_are_those_of_the_stratum() -> None:
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


def test_what_earlier_versions_kept_beside_is_left() -> None:
    prototypes = fitted()
    earlier = {**prototypes.state_dict(), "total": torch.zeros(3, 6), "spread": torch.zeros(3, 6)}
    fresh = Prototypes(6, CONFIG)
    fresh.load_state_dict(earlier, strict=True)
    assert fresh.center.equal(prototypes.center)


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
    with pytest.raises(NotFittedError, match="call fit"):
        prototypes.assign(codes, group)
    with pytest.raises(InputError, match=r"codes \[patients, 6\] .* got \(40, 5\) and \(40,\)"):
        prototypes.fit(codes[:, :5], group)
    with pytest.raises(InputError, match=r"got \(40, 6\) and \(39,\)"):
        prototypes.fit(codes, group[1:])
    with pytest.raises(InputError, match="at least one patient"):
        prototypes.fit(codes[:0], group[:0])
    codes[[3, 7], 2] = torch.nan
    with pytest.raises(InputError, match=r"codes of 2 of 40 patients are not finite, first at rows \[3, 7\]"):
        prototypes.fit(codes, group)
