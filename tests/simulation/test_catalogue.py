"""The catalogue: names that a file can hold, and something to find in every modality."""

from __future__ import annotations

from collections import Counter

import pytest

from gdsfd.simulation.catalogue import ANCHOR_CODE, CATALOGUE


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_modality_has_content_of_every_role_under_names_of_its_own(name: str) -> None:
    modality = CATALOGUE[name]
    names = [*(feature.name for feature in modality.features), *(column for column, _ in modality.levels)]
    assert modality.name == name
    assert len(set(names)) == len(names)
    assert not {"patient_id", "minute", "code", ANCHOR_CODE} & set(names)
    roles = Counter(feature.role for feature in modality.features)
    assert set(roles) == {"causal", "biased", "noise"}
    assert all(feature.sign in (-1, 1) for feature in modality.features)
    if modality.kind == "codes":
        assert all(0 < feature.centre < 1 for feature in modality.features)  # the prevalence
    else:
        assert all(feature.spread > 0 for feature in modality.features)
    assert 0 <= modality.missing < 1
    assert bool(modality.levels) == (modality.kind == "table")


def test_files_are_of_one_modality_each() -> None:
    files = [modality.file for modality in CATALOGUE.values()]
    assert len(set(files)) == len(files)
    assert not {"patients.csv", "spec.toml", "truth.json", "truth.parquet"} & set(files)


@pytest.mark.parametrize(("name", "counts"), [("imaging", (6, 6, 12)), ("notes", (4, 4, 8))])
def test_the_place_of_a_component_says_nothing_of_its_role(name: str, counts: tuple[int, int, int]) -> None:
    features = CATALOGUE[name].features
    roles = [feature.role for feature in features]
    assert tuple(roles.count(role) for role in ("causal", "biased", "noise")) == counts
    assert [feature.name for feature in features] == [f"e_{place:02d}" for place in range(len(features))]
    both = [place for place, role in enumerate(roles) if role != "noise"]
    assert roles[both[0]] != roles[both[1]] != roles[both[2]]  # they alternate
