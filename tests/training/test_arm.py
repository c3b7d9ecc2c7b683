"""Which weights and margins an arm gives its training patients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from gdsfd.errors import InputError
from gdsfd.graph.flatten import flatten
from gdsfd.graph.from_cohort import edge_type, graph_from_cohort
from gdsfd.graph.loader import rows_of
from gdsfd.graph.modality_ablation import drop_modalities
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.losses import outcome_loss
from gdsfd.nn.predictor import Prediction
from gdsfd.nn.streams import StreamConfig
from gdsfd.training.arm import Arm
from gdsfd.training.config import TrainConfig
from gdsfd.training.suspects.pattern_propensity import pattern_propensity
from tests.cohort_factory import make_cohort

N = 1000
QUICK = {"members": 1, "channels": 8, "learning_rate": 3e-3, "max_epochs": 2, "guard_folds": 0}


def made(outcomes: str = "binary") -> Any:
    """Chart, diagnosis and note are always there; labs are missing the more often the higher the pressure."""
    splits = ["test" if row % 10 == 3 else ("train", "tuning", "train")[row % 3] for row in range(N)]
    graph = graph_from_cohort(make_cohort(N, presence=1.0, nobody_has=("scan",), splits=splits, outcomes=outcomes))
    chart, value = graph[edge_type("chart")], np.full(N, np.nan)
    value[chart.edge_index[0].numpy()] = chart.numeric[:, 1].numpy()
    chance = 1 / (1 + np.exp(-1.5 * np.nan_to_num((value - np.nanmean(value)) / np.nanstd(value))))
    return drop_modalities(graph, "labs", np.flatnonzero(np.random.default_rng(0).random(N) < chance))


def arm(**given: Any) -> Arm:
    config = TrainConfig(**QUICK).resolved(500)  # type: ignore[arg-type]
    return Arm("concat", StreamConfig.read(given), config, 0, ("pattern", "environment"))


@pytest.mark.parametrize("outcomes", ["binary", "multilabel", "multiclass"])
def test_propensity_weights_are_those_of_the_pattern_for_every_outcome(outcomes: str) -> None:
    graph = made(outcomes)
    train = rows_of(graph, "train")
    expected = pattern_propensity(graph, flatten(graph), train).weight
    targets, codes, signal = arm(streams=False, weight="propensity").targets(graph, train)
    y = graph["patient"].y
    assert targets.weight is not None
    assert targets.weight.shape == y.shape
    torch.testing.assert_close(targets.weight, expected.view(-1, *[1] * (y.dim() - 1)).expand_as(y))
    assert expected[train].std() > 0.2
    assert (targets.margin, targets.suspects, codes.sizes, signal.suspects) == (None, None, (), ())
    assert targets.take(train[:5]).weight.shape == y[:5].shape  # type: ignore[union-attr]


def test_propensity_weights_stay_beside_a_margin_over_the_suspects() -> None:
    graph = made()
    train = rows_of(graph, "train")
    alone, *_ = arm(weight="propensity").targets(graph, train)
    both, *_ = arm(weight="propensity", margin=True).targets(graph, train)
    assert both.margin is not None
    assert both.weight is not None
    assert torch.equal(both.weight, alone.weight)  # type: ignore[arg-type]


@pytest.mark.parametrize("streams", [False, True])
def test_the_loss_is_weighted_and_so_is_the_epoch_chosen(streams: bool) -> None:
    graph = made()
    train = rows_of(graph, "train")
    chosen = arm(streams=streams, weight="propensity", head="causal", biased_weight=0.0)
    targets, codes, _ = chosen.targets(graph, train)
    fitted = chosen.fit(graph)
    objective = chosen.objective(fitted.network, N, codes.sizes)
    assert objective.weighted
    prediction: Prediction = fitted.network.members[0](PatientStore(graph).batch(train))
    here = targets.take(train)
    expected: Tensor = outcome_loss(prediction.logits, here.y, here.weight)
    torch.testing.assert_close(objective.member_loss(0, prediction, here, 1), expected)
    assert not torch.isclose(expected, outcome_loss(prediction.logits, here.y))
    assert np.isfinite([row["tuning_loss"] for row in fitted.state.history]).all()


def test_without_anything_that_is_always_observed_the_message_says_so() -> None:
    graph = graph_from_cohort(make_cohort(100))
    with pytest.raises(InputError, match="no modality is present for at least 99% of the training patients"):
        arm(streams=False, weight="propensity").fit(graph)


def test_what_strata_are_crossed_from_is_left_out_of_the_margin() -> None:
    graph = made()
    train = rows_of(graph, "train")
    inner = {"strata": ("pattern",)}
    margins = {
        name: arm(head="causal", margin=True, prototypes=given).targets(graph, train)
        for name, given in (("full", None), ("prototypes", inner))
    }
    assert margins["full"][2].suspects == margins["prototypes"][2].suspects == ("pattern", "environment")
    assert margins["full"][1].names == ("pattern", "environment")
    assert margins["prototypes"][1].names == ("environment",)
    assert margins["prototypes"][2].sizes == margins["prototypes"][1].sizes
