"""Layouts with features: what the tokens are made of, in the edges' order; and plain layouts of fewer edges."""

from __future__ import annotations

import torch

from gdsfd.graph.edge_layout import EdgeLayout
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.loader import PatientLoader, rows_of
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.encoders.feature_encoder import FeatureEncoder
from gdsfd.nn.encoders.feature_layout import FeatureLayout
from gdsfd.nn.predictor import Predictor
from tests.cohort_factory import make_cohort


def test_a_backbone_that_reads_features_gets_those_that_tokens_are_made_of() -> None:
    graph = graph_from_cohort(make_cohort(40, nobody_has=["note"]))
    network, store = Predictor(graph.schema, "cmae", 6, dropout=0.0), PatientStore(graph)
    train = rows_of(graph, "train")
    network.prepare(store)
    network.fit_inputs(PatientLoader(store, train, 50))
    batch = store.batch(train[::2])
    assert type(network.eval().inputs(batch)[1]) is EdgeLayout, "nothing to reconstruct in evaluation"
    tokens, layout = network.train().inputs(batch)
    assert isinstance(layout, FeatureLayout)
    ptr = layout.modality_ptr.tolist()
    seen = 0
    for encoder, features, size, start, end in zip(
        network.encoders, layout.features, network.task.features, ptr, ptr[1:]
    ):
        assert isinstance(encoder, FeatureEncoder)
        assert features.shape == (end - start, size)
        assert not features.requires_grad
        expected = encoder.out(encoder.token.linear(features))
        if not features.is_sparse and encoder.in_grid:
            torch.testing.assert_close(tokens[start:end], expected)
            seen += end > start
    assert seen >= 3
    assert "note" in network.names
    assert type(layout.keep(torch.zeros(layout.num_edges, dtype=torch.bool))) is EdgeLayout
