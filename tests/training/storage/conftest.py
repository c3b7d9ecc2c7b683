"""Three small runs that storage tests damage copies of."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from torch_geometric.data import HeteroData

from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.training import Debiaser
from tests.cohort_factory import make_cohort

SMALL: dict[str, Any] = {"max_epochs": 2, "channels": 4, "members": 1, "guard_folds": 0}


@pytest.fixture(scope="package")
def graph() -> HeteroData:
    return graph_from_cohort(make_cohort(80))


@pytest.fixture(scope="package")
def runs(graph: HeteroData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs of one shape without debiasing, one with it."""
    folder = tmp_path_factory.mktemp("runs")
    for seed in (0, 1):
        Debiaser("concat", seed=seed, **SMALL).fit(graph, out=folder / f"none-{seed}")
    Debiaser("muse", "strata", suspects=["environment"], **SMALL).fit(graph, out=folder / "strata")
    return folder


@pytest.fixture(params=["none-0", "strata"])
def run(request: pytest.FixtureRequest, runs: Path, tmp_path: Path) -> Path:
    """A copy of a run that may be damaged."""
    shutil.copytree(runs / request.param, tmp_path / "run")
    return tmp_path / "run"
