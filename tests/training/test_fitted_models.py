"""What a debiasing mode consists of, and what is said of its training."""

from __future__ import annotations

import logging

import pytest

from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.loader import rows_of
from gdsfd.nn.streams.config import StreamConfig
from gdsfd.training.arm import Arm
from gdsfd.training.config import TrainConfig
from gdsfd.training.fitted_models import fit_models
from tests.cohort_factory import make_cohort


@pytest.fixture(scope="module")
def graph():
    return graph_from_cohort(make_cohort(60))


@pytest.mark.parametrize("mode", [None, "strata"])
def test_one_arm_or_two_and_the_guard(graph, mode, caplog):
    config = TrainConfig(max_epochs=2, channels=4, members=1, guard_folds=0).resolved(40)
    rows = []
    with caplog.at_level(logging.INFO, logger="gdsfd"):
        arm = Arm("concat", None, config, 0, ("pattern",))
        models = fit_models(graph, arm, StreamConfig.read(mode or "none"), None, False, {}, rows.append)
    said = [record.getMessage() for record in caplog.records if record.name == "gdsfd.training.fitted_models"]
    facts = models.facts(graph, "reference")
    assert facts["train_patients"] == rows_of(graph, "train").numel()
    assert facts["epochs"] == 2
    assert not any(network.training for network in models.networks.values())
    if mode is None:
        assert (list(models.networks), models.guard) == (["reference"], None)
        assert [row["epoch"] for row in models.history("reference")] == [1, 2]
        assert not any("model" in row for row in rows)
        assert said == [f"concat, reference: {facts['ended']['reference']}"]
        return
    assert models.guard is not None
    assert list(models.networks) == ["reference", "debiased"]
    assert [row["model"] for row in models.history("debiased")] == ["reference"] * 2 + ["debiased"] * 2
    assert [row["model"] for row in rows] == ["reference"] * 2 + ["debiased"] * 2
    assert said[-1] == f"guard: {models.guard.explanation}"
    assert (facts["choice"], facts["guard"]) == ("reference", models.guard.explanation)
