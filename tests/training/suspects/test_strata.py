"""What strata are crossed from: fitted on training rows alone, environments numbered by them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch_geometric.data import HeteroData

from gdsfd.graph.availability import presence_of
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.loader import rows_of
from gdsfd.nn.ensemble import Ensemble
from gdsfd.nn.stream_predictor import StreamPredictor
from gdsfd.nn.streams import StreamConfig
from gdsfd.training.suspects.strata import environment_codes, fit_strata, groups_of
from tests.cohort_factory import make_cohort


@pytest.fixture
def graph() -> HeteroData:
    return graph_from_cohort(make_cohort(80))


def network(graph: HeteroData, members: int = 2, **settings: object) -> Ensemble:
    config = StreamConfig.read({"head": "causal", **settings})
    return Ensemble([StreamPredictor(graph.schema, "concat", 4, 0.0, streams=config) for _ in range(members)], False)


def test_environments_are_numbered_on_training_rows(graph: HeteroData) -> None:
    names = ["A"] * 30 + ["B"] * 30 + ["C"] * 10 + ["D"] * 9 + ["new"]
    graph["patient"].environment = names
    codes = environment_codes(graph, torch.arange(75), least=20)
    # A and B have enough; C and D share a code; one that no training patient has is unknown.
    assert codes.tolist() == [0] * 30 + [1] * 30 + [2] * 19 + [-1]
    assert environment_codes(graph, torch.arange(75), least=8).tolist() == [0] * 30 + [1] * 30 + [2] * 10 + [3] * 9 + [
        -1
    ]
    graph["patient"].environment = None
    del graph["patient"].environment
    assert environment_codes(graph, torch.arange(75), least=20) is None


@pytest.mark.parametrize("strata", [("pattern",), ("environment",), ("pattern", "environment"), ("cluster",)])
def test_groups_are_those_of_patients_alike(graph: HeteroData, strata: tuple[str, ...]) -> None:
    rows = rows_of(graph, "train")
    made = network(graph, prototypes={"strata": strata, "least": 1})
    group = fit_strata(made, graph, rows)
    for member in made.members:
        assert torch.equal(groups_of(member, graph, rows), group)
    presence, environment = presence_of(graph), np.asarray(graph["patient"].environment, dtype=str)
    alike = torch.ones(len(rows), len(rows), dtype=torch.bool)
    if "pattern" in strata:
        alike &= (presence[rows][:, None] == presence[rows][None]).all(-1)
    if "environment" in strata:
        own = environment[rows.numpy()]
        alike &= torch.from_numpy(own[:, None] == own[None])
    assert torch.equal(group[rows][:, None] == group[rows][None], alike)


def test_nothing_is_fitted_on_other_rows(graph: HeteroData) -> None:
    """Groups of training patients, and masses, do not move when the others change."""
    rows = rows_of(graph, "train")
    settings = {"prototypes": {"strata": ("pattern", "environment"), "least": 3}, "intervention": 1.0}
    made, again = network(graph, **settings), network(graph, **settings)
    group = fit_strata(made, graph, rows)
    others = np.setdiff1d(np.arange(80), rows.numpy())
    environment = np.asarray(graph["patient"].environment, dtype=object)
    environment[others] = "elsewhere"
    graph["patient"].environment = environment.tolist()
    changed = fit_strata(again, graph, rows)
    assert torch.equal(changed[rows], group[rows])
    for one, other in zip(made.members, again.members):
        assert torch.equal(one.deconfounder.groups.size, other.deconfounder.groups.size)
        assert int(one.deconfounder.groups.size.sum()) == len(rows)
        assert int(one.intervention.count.sum()) == len(rows)
        seen = presence_of(graph)[rows].unique(dim=0)
        assert torch.equal(one.intervention.patterns, seen)


def test_without_strata_there_are_no_groups(graph: HeteroData) -> None:
    rows = rows_of(graph, "train")
    assert fit_strata(network(graph), graph, rows) is None
    intervened = network(graph, members=1, intervention=1.0)
    assert fit_strata(intervened, graph, rows) is None
    assert int(intervened.members[0].intervention.count.sum()) == len(rows)
