"""What baselines are told of the suspects is what networks are."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.loader import rows_of
from gdsfd.nn.streams.config import PRESETS
from gdsfd.training.arm import Arm
from gdsfd.training.config import TrainConfig
from gdsfd.training.suspects.suspect_facts import suspect_facts
from tests.cohort_factory import make_cohort


@pytest.mark.parametrize("outcomes", ["binary", "multilabel", "multiclass"])
def test_a_baseline_gets_the_margin_that_a_network_gets(outcomes: str) -> None:
    graph = graph_from_cohort(make_cohort(500, outcomes=outcomes, environments=3))
    y = graph["patient"].y
    first = y if outcomes == "multiclass" else y[:, 0].nan_to_num(0.0)
    sites = np.where(np.random.default_rng(0).random(500) < 0.8, first.numpy().astype(int), 2)
    graph["patient"].environment = [f"site{number}" for number in sites]
    rows = rows_of(graph, "train")
    arm = Arm("concat", PRESETS["margin"], TrainConfig().resolved(300), 0, ("pattern", "environment"))
    targets, codes, _ = arm.targets(graph, rows)
    facts = suspect_facts(graph, ("pattern", "environment"))
    assert targets.margin is not None
    np.testing.assert_array_equal(facts.margin, targets.margin.double().numpy())
    assert np.abs(facts.margin).max() > 0.5
    assert (facts.names, facts.sizes) == (codes.names, codes.sizes)
    np.testing.assert_array_equal(facts.codes, codes.codes.numpy())
    shuffled = y.clone()
    others = torch.ones(500, dtype=torch.bool).index_fill(0, rows, False)
    shuffled[others] = shuffled[others].flip(0)
    graph["patient"].y = shuffled
    np.testing.assert_array_equal(suspect_facts(graph, ("pattern", "environment")).margin, facts.margin)
