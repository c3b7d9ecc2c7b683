"""Patterns are re-drawn from the training patients' own, the most frequent of them."""

from __future__ import annotations

import torch

from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.streams.pattern_intervention import MOST, PatternIntervention
from tests.cohort_factory import make_cohort


def test_the_most_frequent_patterns_are_kept_in_a_fixed_order() -> None:
    intervention = PatternIntervention(graph_from_cohort(make_cohort(5)).schema)
    bits = torch.arange(2000).unsqueeze(1).bitwise_right_shift(torch.arange(11)).bitwise_and(1).bool()
    frequent = torch.arange(500, 900)
    presence = torch.cat([bits, bits[frequent]])
    intervention.fit(presence[torch.randperm(len(presence), generator=torch.Generator().manual_seed(0))])
    assert intervention.patterns.shape == (MOST, 11)
    kept = {tuple(row) for row in intervention.patterns.tolist()}
    assert {tuple(row) for row in bits[frequent].tolist()} <= kept
    assert intervention.count.sum() == MOST + len(frequent)
    again = PatternIntervention(graph_from_cohort(make_cohort(5)).schema)
    again.fit(presence)
    assert torch.equal(again.patterns, intervention.patterns)


def test_few_patterns_are_all_kept_and_loaded() -> None:
    graph = graph_from_cohort(make_cohort(60))
    intervention = PatternIntervention(graph.schema)
    presence = torch.tensor([[True, False, True, False, False]] * 3 + [[False] * 5])
    intervention.fit(presence)
    assert intervention.count.tolist() == [1, 3]
    fresh = PatternIntervention(graph.schema)
    fresh.load_state_dict(intervention.state_dict())
    assert torch.equal(fresh.patterns, intervention.patterns)
    batch = PatientStore(graph).batch(torch.arange(60))
    tokens = torch.arange(batch.layout.patient.numel()).unsqueeze(1)
    rest, layout = fresh(tokens, batch.layout, batch.layout.presence)
    kept = {(int(patient), int(modality)) for patient, modality in zip(layout.patient, layout.modality, strict=True)}
    own = {(int(p), int(m)) for p, m in zip(batch.layout.patient, batch.layout.modality, strict=True)}
    assert kept < own
    assert len(rest) == len(kept)
    assert {patient for patient, _ in kept} == {patient for patient, _ in own}, "nobody who has anything loses all"
