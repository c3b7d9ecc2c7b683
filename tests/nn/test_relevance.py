"""Relevance of features against numpy, and inputs that are worked out once."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.loader import rows_of
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.predictor import Predictor
from gdsfd.nn.relevance import FeatureStatistics, outcome_columns
from tests.cohort_factory import make_cohort


def filled(features: torch.Tensor, y: torch.Tensor, chunks: int = 3) -> FeatureStatistics:
    statistics = FeatureStatistics(features.size(1), 1)
    label, labelled = outcome_columns(y, 1)
    for rows in torch.arange(len(y)).chunk(chunks):
        part = features[rows]
        statistics.add(part.to_sparse() if chunks == 4 else part, label[rows], labelled[rows])
    return statistics


@pytest.fixture
def data() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    y = (torch.rand(400, 1, generator=generator) < 0.3).float()
    noise = torch.randn(400, 3, generator=generator)
    signal = y + 0.5 * torch.randn(400, 1, generator=generator)
    return torch.cat([noise, signal, signal, torch.ones(400, 1)], dim=1), y


@pytest.mark.parametrize("chunks", [1, 3, 4])
def test_equals_numpy(data: tuple[torch.Tensor, torch.Tensor], chunks: int) -> None:
    features, y = data
    statistics = filled(features, y, chunks)
    x, truth = features.double().numpy(), y[:, 0].double().numpy()
    np.testing.assert_allclose(statistics.center, x.mean(0), atol=1e-6)
    np.testing.assert_allclose(statistics.spread[:5], x.std(0)[:5], rtol=1e-6)
    assert statistics.spread[5] == 1  # a constant
    squared = np.nan_to_num(np.corrcoef(x[:, :5].T)) ** 2
    np.testing.assert_allclose(statistics.redundancy[:5], squared.sum(1), rtol=1e-3)
    wanted = np.array([abs(np.corrcoef(x[:, column], truth)[0, 1]) for column in range(5)]) / np.sqrt(squared.sum(1))
    got = statistics.relevance(patients=1600)
    np.testing.assert_allclose(got[:5], wanted * np.sqrt(400 / 1600), rtol=1e-3)
    assert got[5] == 0


def test_unlabelled_rows_count_for_the_spread_only(data: tuple[torch.Tensor, torch.Tensor]) -> None:
    features, y = data
    hidden = y.clone()
    hidden[200:] = float("nan")
    statistics = filled(features, hidden)
    np.testing.assert_allclose(statistics.center, features.double().numpy().mean(0), atol=1e-6)
    x, truth = features[:200].double().numpy(), y[:200, 0].double().numpy()
    covariance = np.array([np.mean(x[:, c] * truth) - truth.mean() * x[:, c].mean() for c in range(5)])
    deviation = np.sqrt(truth.mean() * (1 - truth.mean()))
    expected = np.abs(covariance) / (statistics.spread[:5].numpy() * deviation) * np.sqrt(200 / 400)
    np.testing.assert_allclose(
        statistics.relevance(400)[:5], expected / np.sqrt(statistics.redundancy[:5].numpy()), rtol=1e-5
    )


@pytest.mark.parametrize("labels", ["none", "one class"])
def test_nothing_to_relate_to_is_no_relevance(labels: str) -> None:
    features = torch.randn(20, 2, generator=torch.Generator().manual_seed(0))
    y = torch.full((20, 1), float("nan") if labels == "none" else 1.0)
    relevance = filled(features, y).relevance(20)
    assert torch.isfinite(relevance).all()
    assert relevance.max() < 1e-6


def test_classes_are_compared_one_against_the_rest() -> None:
    label, labelled = outcome_columns(torch.tensor([0, 2, -1]), 3)
    assert label.tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 0]]
    assert labelled.tolist() == [[1, 1, 1], [1, 1, 1], [0, 0, 0]]


def test_fitted_inputs_favour_what_tells_the_outcome() -> None:
    cohort = make_cohort(400)
    chart = cohort.observations["chart"]
    first, second = next(each.scales for each in cohort.schema.modalities if each.name == "chart")[:2]
    outcome = np.nan_to_num(cohort.y[chart.patient, 0])
    chart.numeric[:, 0] = first.mean + first.std * (2 * outcome - 1)  # the outcome itself, in the column's unit
    chart.numeric[:, 1] = second.mean + second.std * np.random.default_rng(0).normal(size=len(chart.patient))
    graph = graph_from_cohort(cohort)
    network = Predictor(graph.schema, "concat", channels=8)
    store = PatientStore(graph)
    network.fit_inputs([store.batch(rows_of(graph, "train"))])
    number = graph.schema.names.index("chart")
    columns = len(graph.schema.modalities[number].numeric)
    z = network.encoders[number].token.relevance[:columns]
    assert z[0] > 0.5
    assert z[1] < 0.5 * z[0]
    assert max(float(encoder.token.relevance.max()) for encoder in network.encoders) == pytest.approx(1)


@pytest.mark.parametrize("sequence", ["gru", "none"])
def test_inputs_worked_out_once_give_the_same_scores(sequence: str) -> None:
    graph = graph_from_cohort(make_cohort(80))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = Predictor(graph.schema, "concat", channels=8, sequence=sequence).eval()
    rows = torch.randperm(80, generator=torch.Generator().manual_seed(1))[:30]
    store = PatientStore(graph)
    expected = network(store.batch(rows)).logits
    network.prepare(store)
    batch = store.batch(rows)
    events = next(fields.name for fields in graph.schema.modalities if fields.kind == "events")
    assert "summary" not in batch.observations[events]
    assert ("value" in batch.observations[events]) == (sequence == "gru")
    torch.testing.assert_close(network(batch).logits, expected)
    untouched = PatientStore(graph)
    network.prepare(untouched, most_bytes=0)
    assert "summary" in untouched.batch(rows).observations[events]
