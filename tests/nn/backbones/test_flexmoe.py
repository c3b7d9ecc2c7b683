"""flexmoe: its formula patient by patient, who is sent where, and the inverted index that its ports have."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from gdsfd.errors import InputError
from gdsfd.nn.backbones import FlexMoeBackbone
from gdsfd.nn.fusion.experts import Routing, variation
from tests.nn.backbones.learner_case import (
    LearnerCase,
    as_grid,
    full_grid,
    layout_of,
    make_learner,
    presences,
    tokens_of,
)


class TestFlexMoe(LearnerCase, weightless={"routing": 0.0}):
    name = "flexmoe"


class TestSeveralTokens(LearnerCase, options={"tokens_per_modality": 2}, weightless={"routing": 0.0}):
    name = "flexmoe"


def fitted(learner: FlexMoeBackbone) -> FlexMoeBackbone:
    presence = torch.cat([presences(None), torch.eye(5, dtype=torch.bool).repeat(3, 1)])
    learner.fit_memory(lambda: [(None, layout_of(presence))])
    return learner


class Inverted(FlexMoeBackbone):
    """The list of patterns starts with the single modalities, and the router takes its first for the complete one."""

    def expert_of(self, there: torch.Tensor) -> torch.Tensor:
        first = torch.eye(5)[:1].expand(len(there), -1)
        found = super().expert_of(torch.where(there.all(1, keepdim=True), first, there))
        generalist = torch.eye(found.size(1))[:1].expand_as(found)
        return torch.where((there == first).all(1, keepdim=True), generalist, found)


def check_the_generalist(learner: FlexMoeBackbone) -> None:
    """No cross-entropy sends complete patients anywhere, and one sends all others to their pattern's expert."""
    scores = torch.randn(2, 6, 8, generator=torch.Generator().manual_seed(0))
    even = torch.full_like(scores, 1 / 8)
    complete, single = torch.ones(2, 5), torch.eye(5)[:2]
    assert learner.routing_loss(Routing(scores, even, even), complete).item() == pytest.approx(0.0, abs=1e-6)
    expert = learner.expert_of(single).argmax(1)
    assert (expert > 0).all()
    assert expert[0] != expert[1]
    expected = -torch.stack([F.log_softmax(scores[i], -1)[:, expert[i]].mean() for i in range(2)]).mean()
    others = variation(2 * 6 / 8 - torch.bincount(expert, minlength=8) * 6 / 8)
    found = learner.routing_loss(Routing(scores, even, even), single)
    torch.testing.assert_close(found, expected + others)


def test_complete_patients_are_the_generalists() -> None:
    check_the_generalist(fitted(make_learner("flexmoe")))
    inverted = Inverted(8, 5, dropout=0.0)
    with pytest.raises(AssertionError):
        check_the_generalist(fitted(inverted))


def test_even_gates_of_complete_patients_cost_nothing_and_uneven_ones_do() -> None:
    learner, complete = fitted(make_learner("flexmoe")), torch.ones(2, 5)
    gates = torch.zeros(2, 6, 8)
    gates[..., 3] = 1
    found = learner.routing_loss(Routing(torch.zeros(2, 6, 8), gates, gates), complete)
    assert found.item() == pytest.approx(2 * 7.0, rel=1e-5), "all load on one of eight: variance over squared mean is 7"


def test_it_is_its_formula_patient_by_patient() -> None:
    learner, grid, presence = make_learner("flexmoe", tokens_per_modality=2).eval(), full_grid(), presences()
    found = learner(grid.transpose(0, 1), as_grid(presence)).pooled
    attend, norm, experts = learner.attention[0], learner.norms[0], learner.experts[0]
    for patient in (3, 4, 6, 7):
        has = presence[patient]
        own = learner.expander(grid[[patient]])[0]
        rows = []
        for k in range(5):
            if has[k]:
                mine = own[k]
            elif has.any():
                mine = torch.stack([learner.missing[j, k] for j in range(5) if has[j]]).mean(0)
            else:
                mine = learner.nothing[k]
            rows.append(mine + learner.kind[k])
        x = torch.cat(rows)
        normed, attention = F.layer_norm(x, (8,)), attend.attention
        heads = []
        for part in range(4):
            at = slice(2 * part, 2 * part + 2)
            query, key, value = (each(normed)[:, at] for each in (attention.query, attention.key, attention.value))
            heads.append((query @ key.t() / 2**0.5).softmax(-1) @ value)
        x = x + attention.out(torch.cat(heads, 1))
        x = x + experts(norm(x))[0]
        expected = learner.out(learner.norm(x.view(5, 2, 8).mean(1)).flatten())
        torch.testing.assert_close(found[patient], expected, atol=1e-5, rtol=1e-4)


def test_a_router_that_is_trained_sends_patterns_to_their_experts() -> None:
    learner, presence = fitted(make_learner("flexmoe", routing=1.0)).train(), presences(None)
    layout, grid = layout_of(presence), full_grid()
    optimizer = torch.optim.Adam(learner.parameters(), lr=0.02)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for _ in range(100):
            optimizer.zero_grad()
            learner(tokens_of(grid, layout), layout).aux_loss.backward()
            optimizer.step()
    seen: list[torch.Tensor] = []
    learner.experts[0].register_forward_hook(lambda _, __, found: seen.append(found[1].scores))
    learner.eval()(tokens_of(grid, layout), layout)
    there = presence.float()
    expert, incomplete = learner.expert_of(there).argmax(1), ~presence.all(1)
    right = (seen[0].argmax(-1) == expert.unsqueeze(1))[incomplete]
    assert right.float().mean() > 0.9
    assert expert[incomplete].unique().numel() > 3


def test_a_pattern_of_nobody_reads_what_is_nearest_and_more_experts_than_there_are_is_refused() -> None:
    learner = make_learner("flexmoe")
    learner.fit_memory(lambda: [(None, layout_of(torch.tensor([[True, True, False, False, False]] * 3)))])
    there = torch.tensor([[1.0, 1, 0, 0, 1], [0, 0, 1, 0, 0], [1, 1, 1, 1, 1]])
    assert learner.expert_of(there).argmax(1).tolist() == [1, 1, 0]
    with pytest.raises(InputError, match="top at most experts = 4, got 5"):
        make_learner("flexmoe", experts=4, top=5)
