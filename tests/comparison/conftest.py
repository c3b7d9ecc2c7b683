"""A small simulated cohort and made-up lines of fits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from torch_geometric.data import HeteroData

import gdsfd

Lines = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="session")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return gdsfd.simulate(
        tmp_path_factory.mktemp("comparison") / "exports", patients=240, modalities=2, seed=1, sites=4
    )


@pytest.fixture(scope="session")
def graph(exports: Path) -> HeteroData:
    return gdsfd.build_graph(exports / "spec.toml", progress=False)


@pytest.fixture
def lines() -> Lines:
    return made


def made(
    arms: dict[str, dict[Any, float]],
    design: str = "ward",
    backbone: str = "muse",
    split: str = "test_unbiased",
    guard: dict[Any, str] | None = None,
    alike: float = 0.9,
) -> list[dict[str, Any]]:
    """Lines of fits.

    Args:
        arms: Arm -> AUROC by seed, or by (seed, held-out environment).
        design: Their design.
        backbone: Of the arms that have one.
        split: Where the AUROC is; ``test`` (or ``tuning``) gets ``alike``.
        guard: Seed or (seed, environment) -> the guard's choice, for arms with a guard.
        alike: AUROC where nothing has shifted.
    """
    found = []
    for arm, figures in arms.items():
        bare = arm in ("boosting", "logistic", "oracle")
        for key, auroc in figures.items():
            seed, holdout = key if isinstance(key, tuple) else (key, None)
            other = "tuning" if holdout is not None else "test"
            here = "test" if holdout is not None else split
            line: dict[str, Any] = {"design": design, "holdout": holdout, "seed": seed, "arm": arm}
            line["backbone"] = "" if bare else backbone
            line["splits"] = {
                name: {"n": 100, "auroc": value, "auprc": value, "loss": 0.5}
                for name, value in ((here, auroc), (other, alike))
            }
            if guard is not None and arm in ("dfd", "strata", "full"):
                line["guard"] = {"choice": guard[key], "failed": False}
            found.append(line)
    return found
