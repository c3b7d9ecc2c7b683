"""Strata of patients by a network with prototypes: nearest centre of the own group."""

from __future__ import annotations

import numpy as np
import torch

from gdsfd.graph.availability import presence_of
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.loader import rows_of
from gdsfd.graph.patient_store import PatientStore
from gdsfd.training import Debiaser
from gdsfd.training.stratum_assignment import assign_strata, has_strata, joined, member_groups, stream_members
from tests.cohort_factory import make_cohort


def test_the_stratum_is_the_nearest_centre_of_the_own_group():
    graph = graph_from_cohort(make_cohort(200))
    config = {"head": "causal", "prototypes": {"strata": ["pattern", "cluster"], "least": 8, "clusters": 2}}
    settings = {"members": 2, "channels": 8, "max_epochs": 2, "guard_folds": 0}
    model = Debiaser("concat", config, **settings).fit(graph, baselines=False)
    network, train, rows = model.networks["debiased"], rows_of(graph, "train"), rows_of(graph, "test")
    assert has_strata(network)
    assert not has_strata(model.networks["reference"])
    assert len(stream_members(network)) == 2
    groups = member_groups(network, graph, train)
    batch = PatientStore(graph).batch(rows)
    for member, group, found in zip(network.members, groups, assign_strata(network, graph, rows, groups), strict=True):
        table = member.deconfounder.prototypes
        assert torch.equal(group, member.deconfounder.groups(presence_of(graph), None))  # no environments
        with torch.no_grad():
            code = table.standardise(member(batch).source)
        for place, row in enumerate(rows.tolist()):
            distance = (code[place] - table.center).square().sum(1)
            inside = table.group == group[row]
            if inside.any():
                distance[~inside] = float("inf")
            assert int(distance.argmin()) == found[place]
    assert joined([torch.tensor([1]), torch.tensor([2, 0])]).dtype == np.int64
