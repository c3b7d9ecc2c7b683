"""Every pair of settings of dual streams trains, is saved and scores one patient alone."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.nn.dependence import known_dependence
from gdsfd.nn.streams import StreamConfig
from gdsfd.training import Debiaser
from tests.cohort_factory import make_cohort
from tests.pairs import covering

QUICK: dict[str, Any] = {"members": 1, "channels": 4, "learning_rate": 3e-3, "batch_size": 32, "max_epochs": 2}

CHOICES: dict[str, tuple[Any, ...]] = {
    "information": ("none", *known_dependence()),
    "mask_level": ("feature", "edge", "both"),
    "head": ("causal", "joint"),
    "biased_head": ("biased", "joint"),
    "evaluate_with": ("own", "mean"),
    "weight": ("uniform", "stratum"),  # propensity needs a modality that all have
    "margin": (False, True),
    "biased_weight": (0.0, 1.0),
    "conditional": (False, True),
    "swap": (0.0, 1.0),
    "suspect_weight": (0.0, 1.0),
    "intervention": (0.0, 1.0),
    "stage_one": (0.0, 0.5),
    "backbone": ("concat", "muse", "grape"),
    "outcomes": ("binary", "multilabel", "multiclass"),
}
OF_THE_COHORT = ("backbone", "outcomes")
CASES = covering(CHOICES, lambda case: True)


def test_the_cases_are_all_pairs() -> None:
    assert len(CASES) < 70
    for information, level in product(CHOICES["information"], CHOICES["mask_level"]):
        assert any(case["information"] == information and case["mask_level"] == level for case in CASES)


@pytest.mark.parametrize("number", range(len(CASES)))
def test_every_pair_of_settings_trains(number: int, tmp_path: Path) -> None:
    case = CASES[number]
    graph = graph_from_cohort(make_cohort(90, outcomes=case["outcomes"]))
    streams = StreamConfig(**{name: choice for name, choice in case.items() if name not in OF_THE_COHORT})
    model = Debiaser(case["backbone"], streams, ("pattern", "environment"), guard_folds=0, **QUICK).fit(
        graph, baselines=False
    )
    model.use("debiased")
    assert all(np.isfinite(row["train_loss"]) and np.isfinite(row["tuning_loss"]) for row in model.history), case
    for network in model.networks.values():
        assert all(bool(torch.isfinite(value).all()) for value in network.state_dict().values()), case
    together = model.predict_proba(graph)
    model.save(tmp_path / "run")
    alone = Debiaser.load(tmp_path / "run").use("debiased").predict_proba(graph, ids=[graph["patient"].id[5]])
    np.testing.assert_allclose(alone[0], together[5], atol=1e-5)
