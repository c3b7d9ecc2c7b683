"""Re-drawn patterns stay inside the patient's own; the reduced graph is the graph without those observations."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gdsfd.errors import InputError
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.loader import PatientLoader
from gdsfd.graph.modality_ablation import drop_modalities
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.encoders.cells import CellLayout
from gdsfd.nn.predictor import Predictor
from gdsfd.nn.streams.modality_dropout import consistency, draw_patterns, modality_of_cells, remove_modality_edges
from tests.cohort_factory import make_cohort

K = 5


def seeded(number: int) -> torch.Generator:
    return torch.Generator().manual_seed(number)


def flags(rows: list[str]) -> torch.Tensor:
    return torch.tensor([[mark == "1" for mark in row] for row in rows])


@given(number=st.integers(0, 10**6), patients=st.integers(0, 40), kinds=st.integers(0, 12))
@settings(max_examples=60, deadline=None)
def test_only_deletes_and_leaves_something_of_everyone_who_has_something(number, patients, kinds):
    presence = torch.rand(patients, K, generator=seeded(number)) < 0.5
    patterns = torch.rand(kinds, K, generator=seeded(number + 1)) < 0.5
    share = torch.rand(kinds, generator=seeded(number + 2))
    drawn = draw_patterns(presence, patterns, share, seeded(number))
    assert drawn.dtype == torch.bool
    assert drawn.shape == presence.shape
    assert not (drawn & ~presence).any()
    assert (drawn.any(1) == presence.any(1)).all()
    for own, new in zip(presence.tolist(), drawn.tolist()):
        inside = [kind for kind in patterns.tolist() if any(kind) and all(a <= b for a, b in zip(kind, own))]
        if inside:
            assert new in inside


def test_frequencies_are_the_shares_among_the_subsets():
    patterns = flags(["10000", "11000", "11100", "00011", "00000"])
    share = torch.tensor([0.1, 0.2, 0.3, 0.1, 0.3])
    n = 60_000
    drawn = draw_patterns(flags(["11100"]).expand(n, K), patterns, share, seeded(0))
    for kind, expected in zip(patterns[:3], (1 / 6, 2 / 6, 3 / 6)):
        got = (drawn == kind).all(1).double().mean()
        assert abs(got - expected) < 4 * math.sqrt(expected * (1 - expected) / n)


def test_without_a_subset_the_drawn_pattern_is_cut_to_the_own_one():
    patterns = flags(["11000", "10001", "00111"])
    n = 30_000
    drawn = draw_patterns(flags(["10100"]).expand(n, K), patterns, torch.tensor([0.25, 0.25, 0.5]), seeded(1))
    # 11000 and 10001 leave the first modality, 00111 the third: half each
    first = (drawn == flags(["10000"])[0]).all(1)
    third = (drawn == flags(["00100"])[0]).all(1)
    assert (first | third).all()
    assert abs(first.double().mean() - 0.5) < 4 * 0.5 / math.sqrt(n)


def test_nothing_in_common_with_any_pattern_keeps_the_own_one():
    own = flags(["00011", "00000"])
    assert torch.equal(draw_patterns(own, flags(["11000", "00000"]), torch.tensor([0.9, 0.1])), own)
    assert torch.equal(draw_patterns(own, flags(["00011"]), torch.tensor([0.0])), own)  # a share of 0 is not drawn
    assert torch.equal(draw_patterns(own, own[:0], torch.zeros(0)), own)


def test_one_seed_one_draw_and_a_generator_of_its_own_leaves_the_global_one():
    presence = torch.rand(200, K, generator=seeded(3)) < 0.8
    patterns, counts = torch.unique(presence, dim=0, return_counts=True)
    before = torch.get_rng_state()
    first = draw_patterns(presence, patterns, counts / 200, seeded(5))
    assert torch.equal(first, draw_patterns(presence, patterns, counts / 200, seeded(5)))
    assert torch.equal(torch.get_rng_state(), before)
    assert not torch.equal(first, draw_patterns(presence, patterns, counts / 200, seeded(6)))
    with torch.random.fork_rng():
        torch.manual_seed(5)
        assert torch.equal(first, draw_patterns(presence, patterns, counts / 200))


@pytest.fixture(scope="module")
def graph():
    return graph_from_cohort(make_cohort(80))


@pytest.fixture(scope="module", params=["concat", "muse", "grape"])
def predictor(request: pytest.FixtureRequest, graph):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = Predictor(graph.schema, request.param, channels=8, dropout=0.0)
        batches = lambda: PatientLoader(graph, torch.arange(60), 30)  # noqa: E731
        made.fit_inputs(batches())
        made.fit_memory(batches)
    return made.eval()


def modality_of(predictor: Predictor, schema) -> torch.Tensor | None:
    return None if predictor.cells is None else modality_of_cells(schema)


def test_a_thinned_batch_predicts_as_the_graph_without_those_observations(graph, predictor):
    rows = torch.tensor([3, 61, 5, 70, 22, 0, 9, 77])
    batch = PatientStore(graph).batch(rows)
    keep = torch.rand(80, K, generator=seeded(2)) < 0.6
    tokens, layout = predictor.inputs(batch)
    fewer, thinned = remove_modality_edges(tokens, layout, keep[rows], modality_of(predictor, graph.schema))
    assert 0 < fewer.size(0) == thinned.num_edges < layout.num_edges
    got = predictor.out(predictor.backbone(fewer, thinned).pooled)
    other = graph
    for number, name in enumerate(graph.schema.names):
        other = drop_modalities(other, name, (~keep[:, number]).nonzero().squeeze(1))
    expected = predictor(PatientStore(other).batch(rows)).logits
    torch.testing.assert_close(got, expected, atol=1e-5, rtol=1e-5)
    assert not torch.allclose(got, predictor(batch).logits, atol=1e-3)


def test_pointers_and_values_of_a_thinned_layout(graph, predictor):
    batch = PatientStore(graph).batch(torch.arange(80))
    tokens, layout = predictor.inputs(batch)
    keep = torch.rand(80, K, generator=seeded(4)) < 0.5
    keep[:, 1] = False
    nodes = modality_of(predictor, graph.schema)
    fewer, thinned = remove_modality_edges(tokens, layout, keep, nodes)
    assert type(thinned) is type(layout)
    number = torch.arange(K) if nodes is None else nodes
    stays = [
        edge
        for edge, (patient, node) in enumerate(zip(layout.patient.tolist(), layout.modality.tolist()))
        if keep[patient, number[node]]
    ]
    torch.testing.assert_close(fewer, tokens[stays], rtol=0, atol=0)
    assert torch.equal(thinned.patient, layout.patient[stays])
    assert torch.equal(thinned.modality, layout.modality[stays])
    counts = torch.bincount(layout.modality[stays], minlength=layout.num_modalities)
    assert torch.equal(thinned.modality_ptr.diff(), counts)
    assert thinned.num_patients == 80
    if isinstance(layout, CellLayout):
        torch.testing.assert_close(thinned.value, layout.value[stays], rtol=0, atol=0, equal_nan=True)


def test_keeping_all_or_nothing(graph, predictor):
    batch = PatientStore(graph).batch(torch.arange(10))
    tokens, layout = predictor.inputs(batch)
    nodes = modality_of(predictor, graph.schema)
    same, whole = remove_modality_edges(tokens, layout, torch.ones(10, K, dtype=torch.bool), nodes)
    torch.testing.assert_close(same, tokens, rtol=0, atol=0)
    assert torch.equal(whole.modality_ptr, layout.modality_ptr)
    none, empty = remove_modality_edges(tokens, layout, torch.zeros(10, K, dtype=torch.bool), nodes)
    assert none.shape == (0, tokens.size(1))
    assert empty.num_edges == 0
    assert torch.isfinite(predictor.backbone(none, empty).pooled).all()


def test_gradients_reach_kept_tokens_only(graph, predictor):
    batch = PatientStore(graph).batch(torch.arange(30))
    with torch.no_grad():
        tokens, layout = predictor.inputs(batch)
    tokens.requires_grad_()
    keep = torch.rand(30, K, generator=seeded(8)) < 0.5
    nodes = modality_of(predictor, graph.schema)
    predictor.backbone(*remove_modality_edges(tokens, layout, keep, nodes)).pooled.square().sum().backward()
    stays = keep[layout.patient, layout.modality if nodes is None else nodes[layout.modality]]
    moved = tokens.grad.abs().sum(1) > 0
    assert not moved[~stays].any()
    assert moved[stays].any()


def test_a_keep_of_other_patients_is_refused(graph):
    batch = PatientStore(graph).batch(torch.arange(6))
    tokens = torch.zeros(batch.layout.num_edges, 2)
    for keep in (torch.ones(5, K, dtype=torch.bool), torch.ones(6, K - 1, dtype=torch.bool), torch.ones(6, K)):
        with pytest.raises(InputError, match=r"expected keep as bool \[6, 5\]"):
            remove_modality_edges(tokens, batch.layout, keep)
    with pytest.raises(InputError, match="modality_of for all nodes"):
        remove_modality_edges(tokens, batch.layout, torch.ones(6, 2, dtype=torch.bool), torch.tensor([0, 1, 1]))


@pytest.mark.parametrize("multiclass", [True, False])
def test_consistency_is_the_divergence_worked_out_slowly(multiclass):
    first = torch.randn(7, 3, generator=seeded(0), dtype=torch.float64, requires_grad=True)
    second = torch.randn(7, 3, generator=seeded(1), dtype=torch.float64, requires_grad=True)

    def divergence(p: np.ndarray, q: np.ndarray) -> np.ndarray:
        return (p * np.log(p / q)).sum(-1)

    def chances(logits: torch.Tensor) -> np.ndarray:
        if multiclass:
            return logits.softmax(-1).detach().numpy()
        positive = logits.sigmoid().detach().numpy()
        return np.stack([positive, 1 - positive], -1)

    p, q = chances(first), chances(second)
    expected = (divergence(p, q) + divergence(q, p)) / 2
    got = consistency(first, second, multiclass)
    np.testing.assert_allclose(got.item(), expected.mean())
    assert torch.autograd.gradcheck(lambda a, b: consistency(a, b, multiclass), (first, second))


@pytest.mark.parametrize("multiclass", [True, False])
def test_consistency_of_sure_predictions_and_of_nobody(multiclass):
    first = torch.tensor([[200.0, -200.0], [-200.0, 200.0]], requires_grad=True)
    value = consistency(first, -first.detach(), multiclass)
    value.backward()
    assert torch.isfinite(value)
    assert value > 100
    assert torch.isfinite(first.grad).all()
    nobody = torch.zeros(0, 2, requires_grad=True)
    nothing = consistency(nobody, nobody, multiclass)
    nothing.backward()
    assert nothing == 0
