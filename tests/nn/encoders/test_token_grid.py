"""Tokens of all modalities and members at once, against each encoder by itself."""

from __future__ import annotations

import pytest
import torch

from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.loader import PatientLoader, rows_of
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.encoders.token_grid import TokenGrid
from gdsfd.nn.grid_store import GridStore
from gdsfd.training.arm import build_network
from gdsfd.training.config import TrainConfig
from tests.cohort_factory import make_cohort


@pytest.fixture(scope="module")
def built():
    graph = graph_from_cohort(make_cohort(50))
    store, train = PatientStore(graph), rows_of(graph, "train")
    config = TrainConfig(channels=8, members=2, dropout=0.5).resolved(len(train))
    network = build_network(graph.schema, "muse", None, config, 0)
    network.fit_inputs(lambda: PatientLoader(store, train, 20), 1.0)
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(2)
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return network.eval(), store, GridStore.of(network, store)


def test_tokens_are_those_of_the_encoders(built) -> None:
    network, store, grid = built
    rows = torch.arange(10, 40)
    batch, scaled = store.batch(rows), grid.batch(rows)
    tokens = TokenGrid([member.grid_encoders for member in network.members]).eval()(scaled.inputs)
    assert tokens.shape == (2, len(store.schema.names), 30, 8)
    for number, member in enumerate(network.members):
        expected = member.tokens(batch)
        there = scaled.layout.there > 0
        torch.testing.assert_close(tokens[number][there], expected, rtol=0, atol=1e-5)


def test_whole_codes_are_dropped_and_nothing_else(built) -> None:
    network, store, grid = built
    made = TokenGrid([member.grid_encoders for member in network.members]).train()
    inputs = grid.batch(torch.arange(50)).inputs
    torch.manual_seed(0)
    seen = made._with_codes_dropped(inputs)
    number = store.schema.names.index("diagnosis")
    first, last = made.ends[number], made.ends[number + 1] - 1  # the last column is the log count
    elsewhere = torch.ones(inputs.size(1), dtype=torch.bool)
    elsewhere[first:last] = False
    assert torch.equal(seen[:, elsewhere], inputs[:, elsewhere])
    codes, kept = inputs[:, first:last], seen[:, first:last]
    there = codes != 0
    assert ((kept == 0) | torch.isclose(kept, 2 * codes)).all()
    share = float((kept[there] == 0).float().mean())
    assert abs(share - 0.5) < 4 * (0.25 / int(there.sum())) ** 0.5


def test_encoders_share_the_memory_once_taken_over(built) -> None:
    network, _, _ = built
    encoders = [member.grid_encoders for member in network.members]
    before = encoders[1][2].out.outer.weight.detach().clone()
    made = TokenGrid(encoders)
    made.take_over(encoders)
    assert torch.equal(encoders[1][2].out.outer.weight, before)
    with torch.no_grad():
        made.outer[1, 2] += 1
        encoders[0][0].token.linear.weight += 1
    assert torch.equal(encoders[1][2].out.outer.weight, before + 1)
    assert torch.equal(made.weight[: made.ends[1], 0].t(), encoders[0][0].token.linear.weight)
