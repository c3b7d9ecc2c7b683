"""Predictions under strata against the head itself."""

from __future__ import annotations

from copy import copy

import numpy as np
import torch

from gdsfd.evaluation.report.sections.strata.predictions import predict_strata
from gdsfd.nn.losses import probabilities
from gdsfd.training.stratum_assignment import assign_strata, member_groups
from tests.evaluation.report.sections.strata.fitting import rows_of


def test_intervened_is_what_the_model_predicts_and_observed_the_head_at_the_own_centre(model, graph):
    rows, network = rows_of(graph, "test"), model.networks["debiased"]
    groups = member_groups(network, graph, rows_of(graph, "train"))
    part = predict_strata(network, graph, rows, groups)
    predicted = copy(model).use("debiased").predict_proba(graph, split="test")
    np.testing.assert_allclose(part.intervened[:, 0], predicted[:, 1], atol=1e-6)
    (member,), (stratum,) = network.members, part.stratum
    np.testing.assert_array_equal(stratum, assign_strata(network, graph, rows, groups)[0])
    code = torch.from_numpy(model.embed(graph, split="test")["causal"])
    center, mass = member.deconfounder.centers
    with torch.no_grad():
        own = member.deconfounder.fusion.own(code, center[torch.from_numpy(stratum)])
        under = torch.stack([member.deconfounder.fusion.own(code, each.expand(len(code), -1)) for each in center], 1)
    np.testing.assert_allclose(part.observed, probabilities(own, False)[:, 1:].numpy(), atol=1e-6)
    np.testing.assert_allclose(part.under[0], under.sigmoid().mean(0).numpy(), atol=1e-6)
    mean = (mass[:, None] * under).sum(1, keepdim=True)
    spread = (mass[:, None] * (under - mean).square()).sum(1).sqrt()
    np.testing.assert_allclose(part.spread, spread.numpy(), atol=1e-5)
