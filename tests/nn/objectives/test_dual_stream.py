"""What a training step minimises, written out term by term with loops over patients."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.embeddings import Embeddings
from gdsfd.nn.ensemble import Ensemble
from gdsfd.nn.losses import Targets
from gdsfd.nn.objectives import ErmObjective, StreamObjective, conditions
from gdsfd.nn.stream_predictor import StreamPrediction, StreamPredictor
from gdsfd.nn.streams.config import StreamConfig
from tests.cohort_factory import make_cohort
from tests.nn.objectives.labelled_elements import NAN, PATIENTS, SUSPECTS, cross_entropy, generalized, some_targets

WIDTH = 6


def made(outcomes: str, config: StreamConfig) -> tuple[StreamObjective, StreamPredictor, StreamPrediction]:
    """An objective on a network of one member, and a prediction whose codes and logits are arbitrary numbers."""
    schema = make_cohort(5, outcomes=outcomes).schema
    torch.manual_seed(0)
    member = StreamPredictor(schema, "concat", WIDTH, 0.0, streams=config, num_suspects=SUSPECTS)
    for parameter in member.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    objective = StreamObjective(Ensemble([member], outcomes == "multiclass"), config, PATIENTS, SUSPECTS)
    causal, biased = torch.randn(PATIENTS, WIDTH), torch.randn(PATIENTS, WIDTH)
    prediction = StreamPrediction(
        logits=torch.randn(PATIENTS, schema.num_outputs),
        embeddings=Embeddings(causal, None, torch.ones(PATIENTS, 5, dtype=torch.bool)),
        biased_logits=torch.randn(PATIENTS, schema.num_outputs),
        causal=causal,
        biased=biased,
        mask=torch.full((PATIENTS, WIDTH), 0.5),
    )
    return objective, member, prediction


def first_line(config: StreamConfig, member: StreamPredictor, prediction: StreamPrediction, targets: Targets) -> float:
    """``L_1`` of the docstring."""
    weight = targets.weight if config.weight in ("stratum", "propensity") else None
    logits = prediction.logits + targets.margin if config.margin else prediction.logits
    total = cross_entropy(logits, targets.y, weight)
    total += config.biased_weight * generalized(prediction.biased_logits, targets.y, config.q)
    if config.suspect_weight:
        heads = [head(prediction.biased).detach() for head in member.suspect_out]
        parts = [cross_entropy(logits, targets.suspects[:, number]) for number, logits in enumerate(heads)]
        total += config.suspect_weight * sum(parts) / len(parts)
    return total


CONFIGS = {
    "plain": StreamConfig(head="causal"),
    "weights": StreamConfig(head="causal", weight="stratum", q=0.4, biased_weight=0.7),
    "margin": StreamConfig(head="causal", margin=True, biased_weight=2.0),
    "suspects": StreamConfig(head="joint", biased_head="joint", suspect_weight=0.3, margin=True, weight="stratum"),
    "no biased loss": StreamConfig(head="causal", biased_weight=0.0),
}


@pytest.mark.parametrize("outcomes", ["binary", "multilabel", "multiclass"])
@pytest.mark.parametrize("name", CONFIGS)
def test_stage_one_is_the_first_line(name: str, outcomes: str) -> None:
    config, targets = CONFIGS[name], some_targets(outcomes)
    objective, member, prediction = made(outcomes, config)
    expected = first_line(config, member, prediction, targets)
    assert float(objective.member_loss(0, prediction, targets, stage=1).detach()) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("outcomes", ["binary", "multiclass"])
def test_found_strata_take_the_place_of_the_margin(outcomes: str) -> None:
    config, targets = CONFIGS["margin"], some_targets(outcomes)
    objective, member, prediction = made(outcomes, config)
    assert targets.margin is not None
    share = torch.full((PATIENTS, 2), 0.5)
    margin = torch.stack([targets.margin, torch.zeros_like(targets.margin)], dim=1)
    strata = replace(targets, margin=-targets.margin, strata_share=share, strata_margin=margin)
    halves = [first_line(config, member, prediction, replace(targets, margin=each)) for each in margin.unbind(1)]
    found = float(objective.member_loss(0, prediction, strata, stage=1).detach())
    assert found == pytest.approx(sum(halves) / 2, rel=1e-5)
    torch.testing.assert_close(objective.judged_logits(0, prediction, strata), prediction.logits.unsqueeze(1) + margin)


@pytest.mark.parametrize("outcomes", ["binary", "multilabel", "multiclass"])
@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("conditional", [False, True])
def test_stage_two_adds_dependence_and_exchanged_codes(name: str, outcomes: str, conditional: bool) -> None:
    """An exchanged biased code brings its own label to the biased head and none to the causal head."""
    config = replace(CONFIGS[name], information="xcov", information_weight=0.7, conditional=conditional, swap=0.6)
    targets = some_targets(outcomes)
    objective, member, prediction = made(outcomes, config)
    expected = first_line(config, member, prediction, targets)
    measure = objective.dependence[0]
    classes: list[Tensor | None] = [None]
    if conditional:
        known = targets.y if targets.y.dim() == 1 else torch.where(targets.y.isnan(), -1.0, targets.y).long()
        classes = [known] if known.dim() == 1 else [known[:, column] for column in range(known.size(1))]
    parts = [float(measure(prediction.causal, prediction.biased, each, targets.suspects)) for each in classes]
    expected += 0.7 * sum(parts) / len(parts)
    torch.manual_seed(11)
    other = torch.randperm(PATIENTS)
    assert other.tolist() != list(range(PATIENTS))
    moved, moved_y = prediction.biased[other], targets.y[other]
    causal = prediction.causal @ member.out.weight.T + member.out.bias
    if config.head == "joint":
        causal = causal + moved @ member.out_biased.weight.T
    if config.margin:
        causal = causal + targets.margin
    weight = targets.weight if config.weight == "stratum" else None
    expected += 0.6 * cross_entropy(causal.detach(), targets.y, weight)
    biased = moved @ member.biased_out.weight.T + member.biased_out.bias
    if config.biased_head == "joint":
        biased = biased + prediction.causal @ member.biased_out_causal.weight.T
    expected += 0.6 * config.biased_weight * generalized(biased.detach(), moved_y, config.q)
    torch.manual_seed(11)
    assert float(objective.member_loss(0, prediction, targets, stage=2).detach()) == pytest.approx(expected, rel=1e-4)


def test_streams_are_judged_beside_the_margin_they_learn_beside() -> None:
    targets = some_targets("binary")
    for margin in (False, True):
        objective, _, prediction = made("binary", StreamConfig(head="causal", margin=margin))
        expected = prediction.logits + targets.margin if margin else prediction.logits
        torch.testing.assert_close(objective.judged_logits(0, prediction, targets), expected)


def test_stage_one_lasts_its_share_of_all_epochs() -> None:
    objective, *_ = made("binary", StreamConfig(head="causal", stage_one=0.15))
    assert [objective.stage_one(epochs) for epochs in (100, 10, 3, 1)] == [15, 2, 0, 0]
    assert ErmObjective().stage_one(100) == 0


def test_conditions_are_classes_with_unlabelled_as_minus_one() -> None:
    assert [each.tolist() for each in conditions(torch.tensor([[1.0, NAN], [0.0, 1.0]]))] == [[1, 0], [-1, 1]]
    assert [each.tolist() for each in conditions(torch.tensor([2, -1, 0]))] == [[2, -1, 0]]
    assert len(conditions(torch.zeros(2, 9))) == 4


def test_critics_see_every_class_and_member() -> None:
    """The critics' loss is the sum of each member's, in each class."""
    config = StreamConfig(head="causal", information="mine", conditional=True)
    objective, _, prediction = made("multilabel", config)
    targets = some_targets("multilabel")
    measure = copy.deepcopy(objective.dependence[0])  # it keeps a running scale
    torch.manual_seed(5)
    parts = [
        measure.critic_loss(prediction.causal, prediction.biased, each, targets.suspects)
        for each in conditions(targets.y)
    ]
    expected = sum(part.item() for part in parts if part is not None)
    assert expected != 0
    torch.manual_seed(5)
    found = objective.critic_loss([prediction], targets, stage=2)
    assert found.item() == pytest.approx(expected, rel=1e-5)


def test_no_loss_at_all_of_unlabelled_patients() -> None:
    """Unlabelled elements change neither value nor gradient."""
    targets = some_targets("binary")
    objective, _, prediction = made("binary", StreamConfig(head="causal"))
    prediction.logits.requires_grad_()
    prediction.biased_logits.requires_grad_()
    objective.member_loss(0, prediction, targets, stage=1).backward()
    unlabelled = targets.y.isnan()
    assert prediction.logits.grad[unlabelled].abs().sum() == 0
    assert prediction.biased_logits.grad[unlabelled].abs().sum() == 0
    assert (prediction.logits.grad[~unlabelled] != 0).all()


def test_prototypes_are_fitted_on_the_codes_of_all_training_patients_before_stage_two() -> None:
    graph = graph_from_cohort(make_cohort(40))
    config = StreamConfig(head="causal", prototypes={"strata": ["pattern"]})
    torch.manual_seed(0)
    member = StreamPredictor(graph.schema, "concat", WIDTH, 0.0, streams=config)
    network = Ensemble([member], False)
    objective = StreamObjective(network, config, 40)
    store = PatientStore(graph)
    seen = {}

    def record(source: Tensor, group: Tensor) -> None:
        seen["source"], seen["group"] = source, group

    member.deconfounder.prototypes.fit = record  # type: ignore[method-assign]
    rows = [torch.arange(0, 25), torch.arange(25, 40)]
    targets = Targets(graph["patient"].y, torch.arange(40), group=torch.arange(40) % 3)
    network.train()
    objective.start_epoch(network, lambda: [store.batch(each) for each in rows], targets, since=0)
    assert network.training
    network.eval()
    expected = torch.cat([network(store.batch(each))[0].source for each in rows])
    torch.testing.assert_close(seen["source"], expected)
    assert seen["group"].tolist() == (torch.arange(40) % 3).tolist()


def test_prototypes_are_fitted_with_memories_of_the_weights_as_they_are() -> None:
    graph = graph_from_cohort(make_cohort(40))
    config = StreamConfig(head="causal", prototypes={"strata": ["pattern"]})
    torch.manual_seed(0)
    member = StreamPredictor(graph.schema, "muse", WIDTH, 0.0, streams=config)
    network, store, rows = Ensemble([member], False), PatientStore(graph), torch.arange(40)
    seen = {}
    member.deconfounder.prototypes.fit = lambda source, group: seen.update(source=source)  # type: ignore[method-assign]
    with torch.no_grad():
        for parameter in member.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    targets = Targets(graph["patient"].y, rows, group=rows % 3)
    StreamObjective(network, config, 40).start_epoch(network, lambda: [store.batch(rows)], targets, since=0)
    network.eval()
    network.fit_memory(lambda: [store.batch(rows)])
    torch.testing.assert_close(seen["source"], network(store.batch(rows))[0].source)
