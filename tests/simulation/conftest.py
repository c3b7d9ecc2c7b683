"""Simulated cohorts shared by the tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from gdsfd.simulation import simulate


@pytest.fixture(scope="session")
def confounded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default cohort of 5,000 patients."""
    return simulate(tmp_path_factory.mktemp("simulation") / "confounded")


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small cohort with all modalities."""
    return simulate(tmp_path_factory.mktemp("simulation") / "everything", patients=600, modalities=8, seed=4)
