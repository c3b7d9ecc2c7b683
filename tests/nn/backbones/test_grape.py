"""Grape: masks, imputation of hidden values, and what a model on the feature-level graph is made of."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gdsfd.errors import InputError
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.loader import rows_of
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.backbones import GrapeBackbone, backbone_level
from gdsfd.nn.encoders.cells import CellLayout
from gdsfd.nn.predictor import Predictor
from gdsfd.training import Debiaser
from tests.cohort_factory import make_cohort
from tests.nn.backbones.learner_case import LearnerCase


class TestGrape(LearnerCase):
    name = "grape"
    reads_batch = True  # feature vectors are those of the batch


def cell_graph(num_patients: int = 200, nodes: int = 6, seed: int = 0) -> tuple[torch.Tensor, CellLayout]:
    """Values that one hidden number per patient decides, up to noise; the last node has no values."""
    generator = torch.Generator().manual_seed(seed)
    level = torch.randn(num_patients, generator=generator)
    there = torch.rand(nodes, num_patients, generator=generator) < 0.7
    node, patient = there.nonzero(as_tuple=True)
    sign = 1.0 - 2 * (node % 2)
    value = sign * level[patient] + 0.2 * torch.randn(node.numel(), generator=generator)
    value[node == nodes - 1] = torch.nan
    degree = torch.bincount(node, minlength=nodes)
    ptr = torch.cat([degree.new_zeros(1), degree.cumsum(0)])
    tokens = torch.zeros(node.numel(), 8)
    tokens[:, 0] = torch.nan_to_num(value)
    return tokens, CellLayout(patient, node, ptr, num_patients, nodes, value)


def build(**options: float) -> GrapeBackbone:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return GrapeBackbone(8, 6, dropout=0.0, **options)


def test_imputation_learns_to_tell_hidden_values() -> None:
    tokens, layout = cell_graph()
    backbone = build(imputation=1.0, edge_drop=0.3).train()
    optimizer = torch.optim.Adam(backbone.parameters(), lr=1e-2)
    losses = []
    with torch.random.fork_rng():
        torch.manual_seed(1)
        for _ in range(150):
            loss = backbone(tokens, layout).aux_loss
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    assert np.mean(losses[:5]) > 0.8  # the values' variance is about 1
    assert np.mean(losses[-20:]) < 0.3


def test_imputation_is_of_hidden_numbers_in_training_only() -> None:
    tokens, layout = cell_graph()
    assert build(imputation=1.0)(tokens, layout).aux_loss > 0
    assert build(imputation=1.0).eval()(tokens, layout).aux_loss is None
    assert build()(tokens, layout).aux_loss is None
    assert build(imputation=1.0, edge_drop=0.0)(tokens, layout).aux_loss is None  # nothing is hidden
    layout.value[:] = torch.nan
    assert build(imputation=1.0)(tokens, layout).aux_loss == 0  # no number is hidden
    with torch.random.fork_rng():
        torch.manual_seed(2)
        tokens, layout = cell_graph()
        single = build(imputation=1.0)(tokens, layout).aux_loss
        torch.manual_seed(2)
        torch.testing.assert_close(build(imputation=0.25)(tokens, layout).aux_loss, single / 4)


def test_a_hidden_value_does_not_help_to_tell_itself() -> None:
    tokens, layout = cell_graph()
    tokens.requires_grad_()
    backbone = build(imputation=1.0, edge_drop=0.999999).train()
    backbone(tokens, layout).aux_loss.backward()
    assert (tokens.grad == 0).all()


@pytest.mark.parametrize("wide", [False, True])
def test_a_mask_of_zeros_and_ones_removes_edges(wide: bool) -> None:
    tokens, layout = cell_graph()
    kept = torch.rand(layout.num_edges, generator=torch.Generator().manual_seed(0)) < 0.5
    backbone = build(layers=1, edge_drop=0.0)
    mask = kept.float().unsqueeze(1).expand(-1, 8) if wide else kept.float()
    expected = backbone(tokens[kept], layout.keep(kept)).pooled
    torch.testing.assert_close(backbone(tokens, layout, mask=mask).pooled, expected)


def test_a_mask_is_dropped_with_its_edges() -> None:
    tokens, layout = cell_graph()
    backbone = build(edge_drop=0.5).train()
    mask = torch.full((layout.num_edges, 8), 0.3, requires_grad=True)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        without = backbone(tokens, layout).pooled
        torch.manual_seed(0)
        torch.testing.assert_close(backbone(tokens, layout, mask=mask).pooled, without)  # normalised by its sum


def test_feature_nodes_and_not_modalities_are_the_backbones_nodes() -> None:
    assert backbone_level("grape") == "cell"
    assert backbone_level("muse") == "modality"
    graph = graph_from_cohort(make_cohort(40))
    network = Predictor(graph.schema, "grape", channels=4)
    assert network.backbone.num_modalities == network.cells.num_nodes == 10 + 3 + 8 + 1 + 1
    batch = PatientStore(graph).batch(rows_of(graph, "train"))
    network.fit_inputs([batch])
    network.train()(batch).logits.sum().backward()
    unused = [name for name, weight in network.named_parameters() if weight.requires_grad and weight.grad is None]
    assert not unused


def test_imputation_and_options_work_in_the_estimator() -> None:
    graph = graph_from_cohort(make_cohort(120, unlabelled=0.5))
    options = {"imputation": 0.5, "layers": 3, "edge_drop": 0.3}
    model = Debiaser("grape", max_epochs=2, channels=8, members=2, backbone_options=options).fit(graph)
    assert all(np.isfinite(row["train_loss"]) for row in model.history)
    together = model.predict_proba(graph)
    first = graph["patient"].id[:5]
    np.testing.assert_allclose(model.predict_proba(graph, ids=first), together[:5], atol=1e-5)


def test_a_recurrence_is_refused() -> None:
    graph = graph_from_cohort(make_cohort(40))
    with pytest.raises(InputError, match=r"'sequence' reads modality 'labs' over time.*take sequence='none'"):
        Predictor(graph.schema, "grape", channels=4, sequence="gru")
