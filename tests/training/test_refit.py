"""A second fit is a fit: nothing of the first cohort is left, and settings stay as they were given."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch_geometric.data import HeteroData

from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.training import Debiaser
from tests.cohort_factory import make_cohort

QUICK: dict[str, Any] = {"max_epochs": 2, "patience": 2}


@pytest.fixture(scope="module")
def cohorts() -> tuple[HeteroData, HeteroData]:
    """A small one, and one large enough for other sizes of everything that is chosen by size."""
    splits = ["tuning"] * 60 + ["train"] * 10_000
    large = make_cohort(len(splits), seed=2, splits=splits, presence=0.05, environments=2)
    large.subject = list(large.id)  # splits are by row
    return graph_from_cohort(make_cohort(150, seed=1)), graph_from_cohort(large)


def weights(model: Debiaser) -> dict[str, torch.Tensor]:
    return {
        f"{name}.{key}": value
        for name, network in model.networks.items()
        for key, value in network.state_dict().items()
    }


def assert_same(one: Debiaser, other: Debiaser) -> None:
    assert one.config_ == other.config_
    assert (one.choice, one.guard, one.suspects_) == (other.choice, other.guard, other.suspects_)
    timeless = [[{**row, "seconds": 0} for row in model.history] for model in (one, other)]
    assert timeless[0] == timeless[1]
    assert {**one.training, "seconds": 0} == {**other.training, "seconds": 0}
    first, second = weights(one), weights(other)
    assert first.keys() == second.keys()
    for name, value in first.items():
        torch.testing.assert_close(value, second[name], rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize(("backbone", "debias"), [("concat", "none"), ("muse", "full")])
def test_fitted_twice_equals_two_fresh_models(
    cohorts: tuple[HeteroData, HeteroData], backbone: str, debias: str
) -> None:
    settings = {**QUICK, "max_epochs": 1, "patience": 1, "guard_folds": 0}
    small, large = cohorts
    twice = Debiaser(backbone, debias, seed=3, **settings).fit(small, baselines=False)
    assert twice.config_ is not None
    assert (twice.config_.channels, twice.config_.members, twice.config_.batch_size) == (64, 4, 32)
    twice.fit(large)
    assert (twice.config_.channels, twice.config_.members, twice.config_.batch_size) == (128, 1, 512)
    assert_same(twice, Debiaser(backbone, debias, seed=3, **settings).fit(large, baselines=False))


@pytest.mark.parametrize(
    ("backbone", "debias"),
    [
        ("muse", "none"),
        ("concat", "strata"),
        ("concat", "prototypes"),
        ("grape", {"head": "causal", "information": "mine"}),
    ],
)
def test_down_again_and_after_another_choice(backbone: str, debias: Any) -> None:
    first = graph_from_cohort(make_cohort(220, seed=1, outcomes="multilabel"))
    second = graph_from_cohort(make_cohort(120, seed=2, environments=None))
    settings = {**QUICK, "channels": 4, "members": 1, "guard_folds": 2}
    twice = Debiaser(backbone, debias, seed=3, **settings).fit(first, baselines=False)
    if debias != "none":
        twice.use("debiased")
    state = torch.random.get_rng_state()
    twice.fit(second)
    assert torch.equal(state, torch.random.get_rng_state())
    assert_same(twice, Debiaser(backbone, debias, seed=3, **settings).fit(second, baselines=False))


def test_settings_stay_as_given_and_both_are_stored(tmp_path: Path) -> None:
    options = {"edge_drop": 0.1}
    model = Debiaser("concat", {"streams": False, "weight": "stratum"}, max_epochs=1, backbone_options=options)
    before = model.config, model.streams, model.debias, model.suspects
    graph = graph_from_cohort(make_cohort(100))
    model.fit(graph, out=tmp_path / "run")
    options["edge_drop"] = 0.9  # the caller's own mapping
    assert (model.config, model.streams, model.debias, model.suspects) == before
    assert model.config.channels is None
    assert model.config.backbone_options == {"edge_drop": 0.1}
    assert model.config_ is not None
    assert model.config_.channels == 64
    loaded = Debiaser.load(tmp_path / "run")
    assert (loaded.config, loaded.config_) == (model.config, model.config_)
    assert (loaded.streams, loaded.debias) == (model.streams, model.debias)
    assert_same(loaded.fit(graph), model)


def test_a_model_of_version_1_has_its_settings_as_resolved(tmp_path: Path) -> None:
    graph = graph_from_cohort(make_cohort(100))
    model = Debiaser("concat", max_epochs=1).fit(graph, out=tmp_path / "run", baselines=False)
    stored = json.loads((tmp_path / "run" / "model.json").read_text())
    resolved = stored.pop("resolved")
    stored["version"] = 1
    del stored["digest"], stored["files"]
    stored["arguments"] |= resolved
    (tmp_path / "run" / "model.json").write_text(json.dumps(stored))
    loaded = Debiaser.load(tmp_path / "run")
    assert loaded.config_ == model.config_
    np.testing.assert_array_equal(loaded.predict_proba(graph), model.predict_proba(graph))
