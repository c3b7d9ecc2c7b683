"""Every pair of settings of mode ``prototypes`` trains; settings that cannot be together are refused in words."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch

from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.loader import rows_of
from gdsfd.nn.streams import StreamConfig
from gdsfd.training import Debiaser
from gdsfd.training.arm import Arm
from gdsfd.training.config import TrainConfig
from tests.cohort_factory import make_cohort
from tests.pairs import Case, covering

QUICK = {"members": 1, "channels": 4, "learning_rate": 3e-3, "batch_size": 32, "max_epochs": 2, "guard_folds": 0}

CHOICES: dict[str, tuple[Any, ...]] = {
    "fit": ("own", "backdoor"),
    "estimator": ("exact", "sampled"),
    "placebo": ("none", "shuffled"),
    "strata": (("pattern",), ("cluster",), ("pattern", "cluster"), ("pattern", "environment", "cluster")),
    "intervention": (0.0, 1.0),
    "stage_one": (0.0, 0.5),
    "weight": ("uniform", "stratum"),
    "backbone": ("concat", "muse", "grape"),
    "outcomes": ("binary", "multilabel", "multiclass"),
}


CASES = covering(CHOICES, lambda case: True)


def streams_of(case: Case) -> StreamConfig:
    inner = {name: case[name] for name in ("fit", "estimator", "placebo", "strata")}
    inner |= {"least": 8, "clusters": 3, "draws": 3}
    outer = {name: case[name] for name in ("intervention", "stage_one", "weight")}
    config = StreamConfig.read({**outer, "head": "causal", "margin": True, "prototypes": {**inner, "refit_every": 1}})
    assert config is not None
    return config


def test_the_cases_are_all_pairs() -> None:
    assert all(set(case) == set(CHOICES) for case in CASES)
    assert len(CASES) < 30
    for fit, estimator in product(CHOICES["fit"], CHOICES["estimator"]):
        assert any(case["fit"] == fit and case["estimator"] == estimator for case in CASES)


@pytest.mark.parametrize("number", range(len(CASES)))
def test_every_pair_of_settings_trains(number: int) -> None:
    case = CASES[number]
    graph = graph_from_cohort(make_cohort(90, outcomes=case["outcomes"]))
    config = TrainConfig(**QUICK).resolved(60)  # type: ignore[arg-type]
    fitted = Arm(case["backbone"], streams_of(case), config, 0, ("pattern", "environment")).fit(graph)
    assert all(np.isfinite(row["train_loss"]) and np.isfinite(row["tuning_loss"]) for row in fitted.state.history)
    assert all(bool(torch.isfinite(value).all()) for value in fitted.network.state_dict().values()), case
    assert fitted.network.members[0].deconfounder.prototypes.num_strata >= 1


TROUBLED = {
    "own": {"fit": "own"},
    "averaged loss": {"fit": "backdoor", "estimator": "sampled", "draws": 2},
}


@pytest.mark.parametrize("kind", list(TROUBLED))
@pytest.mark.parametrize(
    "trouble", ["one per batch", "one class", "unlabelled batches", "no environments", "one label"]
)
def test_awkward_batches(kind: str, trouble: str) -> None:
    graph = graph_from_cohort(make_cohort(80, unlabelled=0.3, environments=None if trouble == "no environments" else 3))
    settings, train = dict(QUICK, batch_size=8), rows_of(graph, "train")
    y = graph["patient"].y
    if trouble == "one per batch":
        settings["batch_size"] = 1
    elif trouble == "one class":
        y[train] = 1.0
    elif trouble == "unlabelled batches":
        y[train[10:]] = float("nan")
        settings["backbone_options"] = {"contrastive": 0.1}  # the unlabelled take part
    elif trouble == "one label":
        known = train[~torch.isnan(y[train, 0])]
        y[known[1:]] = float("nan")  # one stratum of one patient
    inner = {"strata": ("pattern", "environment", "cluster"), "least": 5, "refit_every": 1, **TROUBLED[kind]}
    streams = StreamConfig.read(
        {"head": "causal", "margin": True, "stage_one": 0.0, "intervention": 1.0, "prototypes": inner}
    )
    arm = Arm("muse", streams, TrainConfig(**settings).resolved(60), 0, ("pattern", "environment"))  # type: ignore[arg-type]
    fitted = arm.fit(graph)
    assert all(np.isfinite(row["train_loss"]) and np.isfinite(row["tuning_loss"]) for row in fitted.state.history)
    assert all(bool(torch.isfinite(value).all()) for value in fitted.network.state_dict().values())


def test_a_configuration_is_read_back_as_it_was() -> None:
    for case in CASES:
        config = streams_of(case)
        assert StreamConfig.read(config.to_dict()) == config


def test_where_the_pattern_tells_nothing_there_is_nothing_to_adjust_for() -> None:
    graph = graph_from_cohort(make_cohort(300, environments=None))
    model = Debiaser("concat", "prototypes", suspects="pattern", **QUICK).fit(graph, baselines=False)
    assert model.guard is not None
    assert model.guard.choice == "reference"
    assert "nothing to adjust for" in model.guard.explanation
