"""Which parameters each way to fit the outcome reaches, and with which logits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.ensemble import Ensemble
from gdsfd.nn.losses import Targets, outcome_loss
from gdsfd.nn.objectives import StreamObjective
from gdsfd.nn.objectives.outcome_fit import AveragedFit, HeadOnlyFit, OffsetFit, OutcomeFit, OwnStratumFit, outcome_fit
from gdsfd.nn.stream_predictor import StreamPrediction, StreamPredictor
from gdsfd.nn.streams import StreamConfig
from tests.cohort_factory import make_cohort

FITS = {"own": OwnStratumFit, "offset": OffsetFit, "backdoor": AveragedFit, "evaluation": HeadOnlyFit}


def config_of(fit: str | None, **given: Any) -> StreamConfig:
    inner = None
    if fit is not None:
        inner = {"fit": fit, "fusion": "add" if fit == "offset" else "concat", "strata": ("cluster",), "least": 5}
    config = StreamConfig.read({"head": "causal", "intervention": 1.0, "prototypes": inner, **given})
    assert config is not None
    return config


def made(fit: str | None, **given: Any) -> tuple[StreamPredictor, StreamPrediction, Targets, StreamConfig]:
    """A network in training mode with fitted strata, its predictions of a batch, and labels."""
    graph, config = graph_from_cohort(make_cohort(80)), config_of(fit, **given)
    store, rows = PatientStore(graph), torch.arange(80)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        member = StreamPredictor(graph.schema, "concat", 8, 0.0, streams=config)
        batch = store.batch(rows)
        member.fit_inputs([batch])
        assert member.intervention is not None
        member.intervention.fit(batch.layout.presence)
        group = torch.zeros_like(rows)
        if member.deconfounder is not None:
            member.deconfounder.prototypes.fit(torch.randn(80, 8), group)
            assert member.deconfounder.prototypes.num_strata == 8
        prediction = member.train()(batch)
    return member, prediction, Targets(graph["patient"].y, rows, group=group), config


def reached(loss: Tensor, member: StreamPredictor) -> set[str]:
    member.zero_grad()
    loss.backward(retain_graph=True)
    named = member.named_parameters()
    return {name.split(".")[0] for name, value in named if value.grad is not None and bool(value.grad.any())}


@pytest.mark.parametrize("fit", [None, *FITS])
def test_each_setting_has_its_class_and_fits_what_it_says(fit: str | None) -> None:
    member, prediction, targets, _ = made(fit)
    found = outcome_fit(member)
    assert type(found) is (OutcomeFit if fit is None else FITS[fit])
    stratum = found.strata(prediction, targets.group)
    logits = found.logits(prediction, stratum)
    head = member.deconfounder
    if fit in (None, "evaluation"):
        expected = member.causal_logits(prediction.causal, prediction.biased)
    elif fit == "backdoor":
        assert head is not None
        under = head.fusion(prediction.causal, head.prototypes.center).sigmoid().squeeze(-1)
        expected = torch.logit((under @ head.prototypes.mass).unsqueeze(1))
    else:
        assert head is not None
        assert stratum is not None
        expected = head.fusion.own(prediction.causal, head.prototypes.center[stratum])
    torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-5)
    thinned = found.thinned(prediction.causal, prediction, stratum)  # as if nothing had been deleted
    torch.testing.assert_close(thinned, logits)


def test_an_offset_is_fitted_by_itself() -> None:
    member, prediction, targets, _ = made("offset")
    found, head = outcome_fit(member), member.deconfounder
    assert head is not None
    stratum = found.strata(prediction, targets.group)
    loss = outcome_loss(found.logits(prediction, stratum), targets.y)
    reached(loss, member)
    assert head.fusion.of_center.weight.grad is None
    beside = found.beside(prediction, stratum, targets.y, None, None)
    assert beside is not None
    assert reached(beside, member) == {"deconfounder"}
    assert head.fusion.out.weight.grad is None
    assert bool(head.fusion.of_center.weight.grad.any())


def test_a_head_for_evaluation_only_leaves_the_codes_alone() -> None:
    member, prediction, targets, _ = made("evaluation")
    found = outcome_fit(member)
    stratum = found.strata(prediction, targets.group)
    margin = torch.linspace(-2, 2, 80).unsqueeze(1)
    beside = found.beside(prediction, stratum, targets.y, None, margin)
    assert beside is not None
    assert reached(beside, member) == {"deconfounder"}
    assert beside != found.beside(prediction, stratum, targets.y, None, None), "it is judged beside the margin"
    assert "deconfounder" not in reached(outcome_loss(found.logits(prediction, stratum), targets.y), member)


@pytest.mark.parametrize("fit", [None, *FITS])
@pytest.mark.parametrize("stage", [1, 2])
def test_the_loss_is_the_sum_of_its_parts(fit: str | None, stage: int) -> None:
    member, prediction, targets, config = made(fit, biased_weight=0.0)
    objective = StreamObjective(Ensemble([member], False), config, 80)
    found = outcome_fit(member)
    stratum = found.strata(prediction, targets.group)
    logits = found.logits(prediction, stratum)
    expected = outcome_loss(logits, targets.y)
    beside = found.beside(prediction, stratum, targets.y, None, None)
    expected = expected if beside is None else expected + beside
    if stage == 2:
        assert prediction.thinned is not None
        other = found.thinned(prediction.thinned, prediction, stratum)
        p, q = logits.sigmoid().detach(), other.sigmoid()
        apart = (p - q) * (torch.logit(p) - torch.logit(q)) / 2
        expected = expected + outcome_loss(other, targets.y) + apart.mean()
    torch.testing.assert_close(objective.member_loss(0, prediction, targets, stage), expected, rtol=1e-4, atol=1e-5)


def test_difficulty_is_that_of_the_head_that_is_trained() -> None:
    """The plain causal head is not trained with strata; weights from it would be noise."""
    member, prediction, targets, config = made(
        "own", weight="relative_difficulty", intervention=0.0001, biased_weight=0
    )
    objective = StreamObjective(Ensemble([member], False), config, 80)
    before = objective.member_loss(0, prediction, targets, 1)
    other = replace(prediction, logits=prediction.logits + 5)
    objective = StreamObjective(Ensemble([member], False), config, 80)
    torch.testing.assert_close(objective.member_loss(0, other, targets, 1), before)
