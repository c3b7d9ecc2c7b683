"""The spec of a simulated cohort is one, whatever modalities there are."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from gdsfd.cohort.spec import load_spec
from gdsfd.simulation import load_truth, simulate
from gdsfd.simulation.catalogue import CATALOGUE
from gdsfd.simulation.config import SimulationConfig
from gdsfd.simulation.spec_text import spec_text


@pytest.mark.parametrize("names", list(itertools.combinations(CATALOGUE, 2)), ids="+".join)
def test_any_modalities_make_a_valid_spec(tmp_path: Path, names: tuple[str, ...]) -> None:
    (tmp_path / "spec.toml").write_text(spec_text(SimulationConfig(modalities=names)))
    spec = load_spec(tmp_path / "spec.toml")
    assert [(entry.name, entry.kind, entry.source) for entry in spec.modality] == [
        (name, CATALOGUE[name].kind, CATALOGUE[name].file) for name in names
    ]


def test_what_was_recorded_after_the_first_day_is_left_out_by_windows(tmp_path: Path) -> None:
    (tmp_path / "spec.toml").write_text(spec_text(SimulationConfig(modalities=8)))
    entries = {entry.name: entry for entry in load_spec(tmp_path / "spec.toml").modality}
    assert {name for name, entry in entries.items() if entry.time} == {"labs", "vitals", "medications"}
    assert all(entry.window == (0, 1440) for entry in entries.values() if entry.time)
    assert entries["vitals"].values == [feature.name for feature in CATALOGUE["vitals"].features]


def test_spec_is_valid_and_its_sources_exist(everything: Path) -> None:
    spec = load_spec(everything / "spec.toml")
    assert [modality.name for modality in spec.modality] == list(CATALOGUE)
    assert spec.split.kind == "column"
    for part in (spec.cohort, *spec.modality):
        assert (everything / part.source).is_file()


def test_without_an_environment_neither_spec_nor_file_has_the_hospital(tmp_path: Path) -> None:
    folder = simulate(tmp_path / "out", patients=100, modalities=2, preset="no_environment")
    assert load_spec(folder / "spec.toml").cohort.environment is None
    assert "site" not in (folder / "patients.csv").read_text().splitlines()[0].split(",")
    assert load_truth(folder).patients["site_practice"].nunique() == 2
