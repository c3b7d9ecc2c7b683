"""The ensemble: probabilities are averaged, codes stand side by side, and members start at the outcome's rate."""

from __future__ import annotations

import pytest
import torch
from torch_geometric.data import HeteroData

from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.loader import rows_of
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.ensemble import Ensemble
from gdsfd.nn.predictor import Predictor
from gdsfd.nn.stream_predictor import StreamPredictor
from gdsfd.nn.streams import StreamConfig
from tests.cohort_factory import make_cohort


@pytest.fixture(scope="module")
def graph() -> HeteroData:
    return graph_from_cohort(make_cohort(40))


def ensemble(graph: HeteroData, streams: StreamConfig | None = None) -> Ensemble:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        if streams is None:
            members = [Predictor(graph.schema, "concat", 4, 0.0) for _ in range(3)]
        else:
            members = [StreamPredictor(graph.schema, "concat", 4, 0.0, streams=streams) for _ in range(2)]
        return Ensemble(members, graph.schema.multiclass)


@pytest.mark.parametrize("outcomes", ["binary", "multilabel", "multiclass"])
def test_probabilities_and_not_logits_are_averaged(outcomes: str) -> None:
    graph = graph_from_cohort(make_cohort(20, outcomes=outcomes))
    network, batch = ensemble(graph).eval(), PatientStore(graph).batch(torch.arange(20))
    predictions = network(batch)
    assert len(predictions) == 3
    own = []
    for member, prediction in zip(network.members, predictions):
        torch.testing.assert_close(prediction.logits, member(batch).logits)
        logits = prediction.logits.double()
        own.append(logits.softmax(1) if outcomes == "multiclass" else logits.sigmoid())
    mean = sum(own) / 3
    found = network.probability(predictions)
    assert found.dtype == torch.float64
    torch.testing.assert_close(found[:, 1:] if outcomes == "binary" else found, mean)
    if outcomes != "multilabel":
        torch.testing.assert_close(found.sum(1), torch.ones(20, dtype=torch.float64))


def test_codes_stand_side_by_side(graph: HeteroData) -> None:
    batch = PatientStore(graph).batch(torch.arange(5))
    network = ensemble(graph).eval()
    predictions = network(batch)
    assert set(network.codes(predictions)) == {"pooled"}
    pooled = network.codes(predictions)["pooled"]
    assert torch.equal(pooled[:, 4:8], predictions[1].embeddings.pooled)
    network = ensemble(graph, StreamConfig()).eval()
    predictions = network(batch)
    codes = network.codes(predictions)
    assert set(codes) == {"causal", "biased"}
    assert torch.equal(codes["causal"][:, 4:], predictions[1].causal)
    assert torch.equal(codes["biased"][:, :4], predictions[0].biased)


@pytest.mark.parametrize(("outcomes", "shares"), [("multilabel", [0.2, 0.0]), ("multiclass", [0.7, 0.2, 0.1])])
def test_an_untrained_head_predicts_the_shares(outcomes: str, shares: list[float]) -> None:
    graph = graph_from_cohort(make_cohort(20, outcomes=outcomes))
    network = ensemble(graph).eval()
    network.start_from(torch.tensor(shares))
    for member in network.members:
        torch.nn.init.zeros_(member.out.weight)
    found = network.probability(network(PatientStore(graph).batch(torch.arange(4))))
    expected = torch.tensor(shares).clamp(1e-3, 1 - 1e-3).double()  # a share of 0 is no infinite logit
    torch.testing.assert_close(found, expected.expand(4, -1), atol=1e-6, rtol=0)


def test_all_members_get_the_same_statistics_and_their_own_maps(graph: HeteroData) -> None:
    network, store, rows = ensemble(graph), PatientStore(graph), rows_of(graph, "train")
    network.fit_inputs(lambda: [store.batch(rows)], 1.0)
    for name, value in network.members[0].named_buffers():
        for member in list(network.members)[1:]:
            torch.testing.assert_close(dict(member.named_buffers())[name], value)
    first, second = (member.encoders[0].token.linear.weight for member in list(network.members)[:2])
    assert not torch.equal(first, second)
