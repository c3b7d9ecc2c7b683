"""Where batches come from: a grid where a network takes one, edge lists and a word why where not."""

from __future__ import annotations

import logging

import numpy as np
import pytest
import torch

from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.grid_batch import GridBatch
from gdsfd.graph.loader import rows_of
from gdsfd.graph.patient_batch import PatientBatch
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.grid_store import GridStore
from gdsfd.training import Debiaser
from gdsfd.training.arm import build_network
from gdsfd.training.batches import TrainingBatches
from gdsfd.training.config import TrainConfig
from tests.cohort_factory import make_cohort


@pytest.mark.parametrize(("backbone", "kind"), [("muse", GridBatch), ("concat", GridBatch), ("grape", PatientBatch)])
def test_every_patient_once_in_order(backbone, kind, caplog) -> None:
    graph = graph_from_cohort(make_cohort(60))
    network = build_network(graph.schema, backbone, None, TrainConfig(channels=8).resolved(40), seed=0)
    with caplog.at_level(logging.INFO, logger="gdsfd"):
        batches = TrainingBatches(network, PatientStore(graph), torch.device("cpu"), 16)
    assert batches.in_grid == (kind is GridBatch)
    assert ("GrapeBackbone reads a list of edges" in caplog.text) == (backbone == "grape")
    rows = rows_of(graph, "train").flip(0)
    for found, size in ((list(batches.steps(rows, 16)), 16), (list(batches.passes(rows)), 10**6)):
        assert all(isinstance(batch, kind) for batch in found)
        assert all(len(batch) <= size for batch in found)
        assert torch.equal(torch.cat([batch.rows for batch in found]), rows)
        torch.testing.assert_close(torch.cat([batch.y for batch in found]), graph["patient"].y[rows], equal_nan=True)


def test_training_with_inputs_apart_gives_the_same_numbers(monkeypatch) -> None:
    graph = graph_from_cohort(make_cohort(60))
    whole = Debiaser("concat", channels=8, max_epochs=2).fit(graph, baselines=False).predict_proba(graph)
    monkeypatch.setattr(GridStore, "apart", True)
    np.testing.assert_array_equal(
        Debiaser("concat", channels=8, max_epochs=2).fit(graph, baselines=False).predict_proba(graph), whole
    )
