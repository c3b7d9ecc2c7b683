"""Which parameters each part of the loss may move: a table, for every way the heads read the codes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.ensemble import Ensemble
from gdsfd.nn.losses import generalized_cross_entropy, outcome_loss
from gdsfd.nn.objectives import StreamObjective
from gdsfd.nn.stream_predictor import StreamPredictor
from gdsfd.nn.streams.config import StreamConfig
from gdsfd.nn.streams.dual_streams import swapped
from tests.cohort_factory import make_cohort

SUSPECTS = (3,)


def parts_of(member: StreamPredictor) -> dict[str, list[nn.Parameter]]:
    """Groups of parameters that a term may or may not reach."""
    parts = {
        "causal backbone": [*member.streams.backbone.parameters()],
        "biased backbone": [*member.streams.biased.parameters()],
        "causal head": [*member.out.parameters()],
        "biased head": [*member.biased_out.parameters()],
        "suspect heads": [*member.suspect_out.parameters()],
        "encoders": [*member.encoders.parameters()],
    }
    if member.out_biased is not None:
        parts["causal head"] += [*member.out_biased.parameters()]
    if member.biased_out_causal is not None:
        parts["biased head"] += [*member.biased_out_causal.parameters()]
    return parts


def reached(loss: Tensor, member: StreamPredictor) -> set[str]:
    found = set()
    for name, parameters in parts_of(member).items():
        gradients = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True) if parameters else ()
        if any(gradient is not None and bool(gradient.abs().sum() > 0) for gradient in gradients):
            found.add(name)
    return found


@pytest.mark.parametrize("backbone", ["concat", "muse"])
@pytest.mark.parametrize("biased_head", ["biased", "joint"])
@pytest.mark.parametrize("head", ["causal", "joint"])
def test_what_each_term_may_move(backbone: str, head: str, biased_head: str) -> None:
    graph = graph_from_cohort(make_cohort(40))
    config = StreamConfig(head=head, biased_head=biased_head, information="xcov", suspect_weight=1.0)
    torch.manual_seed(0)
    options = {"edge_drop": 0.0}
    member = StreamPredictor(graph.schema, backbone, 8, 0.0, options=options, streams=config, num_suspects=SUSPECTS)
    for parameter in member.parameters():  # heads and gates start at 0, which would hide a path
        nn.init.normal_(parameter, std=0.3)
    member.train()
    batch = PatientStore(graph).batch(torch.arange(40))
    prediction = member(batch)
    y = graph["patient"].y
    own, other = {"causal backbone", "causal head", "encoders"}, {"biased backbone", "biased head", "encoders"}

    assert reached(outcome_loss(prediction.logits, y), member) == own
    assert reached(generalized_cross_entropy(prediction.biased_logits, y), member) == other

    moved, whose = swapped(prediction.biased)
    assert reached(outcome_loss(member.causal_logits(prediction.causal, moved), y), member) == own
    biased = member.biased_logits(prediction.causal, moved)
    assert reached(generalized_cross_entropy(biased, y[whose]), member) == other

    suspects = outcome_loss(member.suspect_out[0](prediction.biased), torch.arange(40) % 3)
    assert reached(suspects, member) == {"biased backbone", "suspect heads", "encoders"}

    objective = StreamObjective(Ensemble([member], False), config, 40, SUSPECTS)
    dependence = objective.dependence[0](prediction.causal, prediction.biased, None, None)
    assert reached(dependence, member) == {"causal backbone", "biased backbone", "encoders"}


def test_a_joint_head_reads_the_mean_biased_code_in_evaluation() -> None:
    graph = graph_from_cohort(make_cohort(40))
    torch.manual_seed(0)
    member = StreamPredictor(graph.schema, "concat", 8, 0.0, streams=StreamConfig(head="joint", evaluate_with="mean"))
    for parameter in member.parameters():
        nn.init.normal_(parameter, std=0.3)
    store = PatientStore(graph)
    train = [store.batch(torch.arange(0, 12)), store.batch(torch.arange(12, 25))]
    member.fit_memory(lambda: train)
    member.eval()
    mean = torch.cat([member(batch).biased for batch in train]).mean(0)
    torch.testing.assert_close(member.mean_biased, mean)
    prediction = member(store.batch(torch.arange(40)))
    expected = prediction.causal @ member.out.weight.T + member.out.bias + member.out_biased.weight @ mean
    torch.testing.assert_close(prediction.logits, expected)


def test_strata_are_clusters_of_biased_codes_without_gradient() -> None:
    graph = graph_from_cohort(make_cohort(20))
    config = StreamConfig(head="causal", prototypes={"strata": ["pattern"]})
    member = StreamPredictor(graph.schema, "concat", 8, 0.0, streams=config)
    prediction = member(PatientStore(graph).batch(torch.arange(20)))
    assert not prediction.source.requires_grad
    torch.testing.assert_close(prediction.source, prediction.biased.detach())


def test_a_joint_head_reads_the_patients_own_biased_code_in_training() -> None:
    graph = graph_from_cohort(make_cohort(30))
    torch.manual_seed(0)
    options, streams = {"edge_drop": 0.0}, StreamConfig(head="joint", evaluate_with="mean")
    member = StreamPredictor(graph.schema, "concat", 8, 0.0, options=options, streams=streams)
    nn.init.normal_(member.out_biased.weight)
    prediction = member.train()(PatientStore(graph).batch(torch.arange(30)))
    own = member.causal_logits(prediction.causal, prediction.biased)
    torch.testing.assert_close(prediction.logits, own)
    mean = member.causal_logits(prediction.causal, member.mean_biased.expand_as(prediction.biased))
    assert not torch.allclose(own, mean)
