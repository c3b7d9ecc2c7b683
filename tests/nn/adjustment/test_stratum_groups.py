"""Groups: pattern by environment against a loop, rest groups, and environments never seen."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from gdsfd.errors import InputError, NotFittedError
from gdsfd.nn.adjustment.stratum_groups import StratumGroups


def cohort(patients: int = 3000, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    presence = torch.rand(patients, 3, generator=generator) < torch.tensor([0.9, 0.6, 0.5])
    environment = torch.randint(-1, 12, (patients,), generator=generator).clamp(max=6)
    return presence, environment


def test_every_patient_is_in_the_group_that_a_loop_finds() -> None:
    presence, environment = cohort()
    groups = StratumGroups()
    groups.fit(presence, environment, least=50)
    pattern = groups.patterns(presence).tolist()
    pairs = list(zip(pattern, environment.tolist(), strict=True))
    counts = Counter(pairs)
    expected = [(p, e if e >= 0 and counts[p, e] >= 50 else -1) for p, e in pairs]
    got = groups(presence, environment)
    named = list(zip(groups.pattern_of[got].tolist(), groups.environment_of[got].tolist(), strict=True))
    assert named == expected
    assert len(set(named)) == groups.num_groups > 8
    assert groups.size.equal(torch.bincount(got, minlength=groups.num_groups))
    assert groups.size.min() > 0


def test_unknown_environments_go_to_the_rest_or_else_to_the_largest_group() -> None:
    presence = torch.tensor([[True, False]] * 10 + [[True, True]] * 9)
    environment = torch.tensor([0] * 3 + [1] * 4 + [2] * 2 + [-1] + [0] * 4 + [1] * 5)
    groups = StratumGroups()
    groups.fit(presence, environment, least=3)
    described = [(pattern.tolist(), code) for pattern, code in groups.describe()]
    first, second = [True, False], [True, True]
    assert described == [(first, 0), (first, 1), (first, None), (second, 0), (second, 1)]
    assert groups.size.tolist() == [3, 4, 3, 4, 5]
    new = torch.tensor([-1, 2, 77])
    assert groups(presence[:1].expand(3, -1), new).tolist() == [2, 2, 2]
    assert groups(presence[-1:].expand(3, -1), new).tolist() == [4, 4, 4]
    assert groups(presence, None).tolist() == [2] * 10 + [4] * 9


def test_the_first_of_equally_large_groups_takes_the_unknown() -> None:
    presence, environment = torch.ones(6, 1, dtype=torch.bool), torch.tensor([0, 1, 2] * 2)
    groups = StratumGroups()
    groups.fit(presence, environment, least=2)
    assert groups(presence[:1], torch.tensor([-1])).tolist() == [0]


@pytest.mark.parametrize("environment", [None, torch.full((3000,), -1)])
def test_without_environments_groups_are_patterns(environment: Tensor | None) -> None:
    presence, _ = cohort()
    groups = StratumGroups()
    groups.fit(presence, environment, least=50)
    assert groups(presence, environment).equal(groups.patterns(presence))
    assert groups.size.equal(groups.patterns.patients)
    assert [code for _, code in groups.describe()] == [None] * groups.num_groups


def test_without_patterns_groups_are_environments_or_one() -> None:
    presence, environment = cohort()
    groups = StratumGroups()
    groups.fit(presence, None, least=50, use_pattern=False)
    assert groups(presence, environment).unique().tolist() == [0]
    groups.fit(presence, environment, least=50, use_pattern=False)
    got = groups(presence, environment)
    assert groups.environment_of[got].equal(environment)


def test_other_patients_change_nothing() -> None:
    presence, environment = cohort()
    groups = StratumGroups()
    groups.fit(presence, environment, least=50)
    together = groups(presence, environment)
    assert int(groups(presence[7:8], environment[7:8])) == int(together[7])
    state = {name: value.clone() for name, value in groups.state_dict().items()}
    groups(torch.rand(500, 3) < 0.1, torch.randint(0, 99, (500,)))
    assert all(value.equal(state[name]) for name, value in groups.state_dict().items())


def test_a_fresh_module_loads_what_was_fitted(tmp_path: Path) -> None:
    presence, environment = cohort()
    groups, fresh = StratumGroups(), StratumGroups()
    groups.fit(presence, environment, least=50)
    save_file(groups.state_dict(), tmp_path / "groups.safetensors")
    fresh.load_state_dict(load_file(tmp_path / "groups.safetensors"), strict=True)
    assert fresh(presence, environment).equal(groups(presence, environment))
    assert fresh.num_groups == groups.num_groups


def test_errors_say_what_was_expected() -> None:
    groups = StratumGroups()
    with pytest.raises(NotFittedError, match="call fit"):
        groups(torch.ones(1, 2, dtype=torch.bool), None)
    with pytest.raises(InputError, match=r"each of 4 patients, got \(3,\)"):
        groups.fit(torch.ones(4, 2, dtype=torch.bool), torch.zeros(3, dtype=torch.long), 1)
