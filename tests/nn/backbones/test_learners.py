"""All learners in all modes and kinds of outcome: members in one pass are the members by themselves, on lists."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import pytest
import torch

from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.loader import PatientLoader, rows_of
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.backbones import Card, aug, cmae, known_backbones, mt
from gdsfd.nn.backbones.registry import BACKBONES
from gdsfd.nn.fusion.experts import Experts
from gdsfd.nn.grid_store import GridStore, why_no_grid
from gdsfd.nn.member_stack import MemberStack
from gdsfd.nn.streams.config import StreamConfig
from gdsfd.training.arm import Arm, build_network
from gdsfd.training.config import TrainConfig
from gdsfd.training.suspects.strata import fit_strata
from tests.cohort_factory import make_cohort
from tests.nn.test_member_stack import double_precision, gradients

__all__ = ["double_precision"]

LEARNERS = [name for name in known_backbones() if BACKBONES.plugin_of(name) is None]
MODES = {"none": "binary", "margin": "multilabel", "dfd": "binary", "full": "multiclass", "prototypes": "multilabel"}


@lru_cache
def graph_of(outcomes: str):
    graph = graph_from_cohort(make_cohort(50, outcomes=outcomes))
    return graph.apply(lambda tensor: tensor.double() if tensor.is_floating_point() else tensor)


@pytest.fixture
def fixed_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """All but the last of a patient's modalities: members draw each by themselves, in one pass as one by one."""

    def drops_last(there: torch.Tensor) -> torch.Tensor:
        count = there.sum(1, keepdim=True)
        return there * ((there.cumsum(1) < count) | (count < 2))

    monkeypatch.setattr(cmae.CmaeBackbone, "thin", lambda self, there: there)
    monkeypatch.setattr(Experts, "noise", staticmethod(torch.zeros_like))
    for module in (mt,):
        monkeypatch.setattr(module, "proper_subset", drops_last)


@pytest.mark.usefixtures("fixed_draws")
@pytest.mark.parametrize("debias", MODES)
@pytest.mark.parametrize("name", LEARNERS)
def test_a_step_in_every_mode(name: str, debias: str) -> None:
    graph = graph_of(MODES[debias])
    train, options = rows_of(graph, "train"), {"channels": 6, "dropout": 0.0, "members": 2}
    config = TrainConfig(**options, backbone_options={"edge_drop": 0.0}).resolved(len(train))
    arm = Arm(name, StreamConfig.read(debias), config, 0, ("pattern",))
    targets, codes, _ = arm.targets(graph, train)
    network = build_network(graph.schema, name, arm.streams, arm.config, 0, codes.sizes)
    if debias == "prototypes":
        targets = replace(targets, group=fit_strata(network, graph, train))
    objective, store = arm.objective(network, len(graph["patient"].id), codes.sizes), PatientStore(graph)
    network.prepare(store)
    network.fit_inputs(lambda: PatientLoader(store, train, 50), 1.0, targets.weight)
    network.fit_memory(lambda: PatientLoader(store, train, 50))
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for number, part in enumerate(part for part in network.modules() if isinstance(part, aug.AugBackbone)):
            part.depth[number::2] = number + 1  # members have layers of their own
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    rows = train[::2]
    edges, targets = store.batch(rows), targets.take(rows)
    loss, logits, expected = gradients(network.train(), network, objective, edges, targets)
    assert torch.isfinite(loss)
    assert torch.isfinite(logits).all()
    moved = {key.split(".")[2] for key, value in expected.items() if value is not None and value.abs().sum() > 0}
    assert moved & {"backbone", "streams"}
    assert moved & {"encoders", "cells"}
    if BACKBONES.find(name).trains_in_one_pass():
        grid = GridStore.of(network, store).batch(rows)
        found_loss, found_logits, found = gradients(MemberStack(network), network, objective, grid, targets)
        torch.testing.assert_close(found_loss, loss, rtol=0, atol=1e-9)
        torch.testing.assert_close(found_logits, logits, rtol=0, atol=1e-9)
        for key, value in expected.items():
            if value is not None:
                torch.testing.assert_close(found[key], value, rtol=0, atol=1e-9)
    else:
        assert "list" in why_no_grid(network, store)
    network.eval()
    with torch.no_grad():
        assert all(torch.isfinite(prediction.logits).all() for prediction in network(edges))


@pytest.mark.parametrize("name", LEARNERS)
def test_every_learner_says_where_it_comes_from(name: str) -> None:
    learner = BACKBONES.find(name)
    assert isinstance(learner.card, Card)
    assert learner.card.bank == (learner.fit_memory is not BACKBONES.find("concat").fit_memory)
    assert learner.streams_on == "pooled" or not learner.own_logits
    told = learner.__doc__ or ""
    assert "References:" in told or name == "concat"
    assert "pooled: [B, d]" in told
