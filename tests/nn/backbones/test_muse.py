"""Message passing of muse (and of grape, which shares it) against dense arithmetic; what is fitted for inference."""

from __future__ import annotations

import pytest
import torch

from gdsfd.graph.edge_layout import EdgeLayout
from gdsfd.nn.backbones import MuseBackbone
from tests.nn.backbones.batches import build, only, random_batch
from tests.nn.backbones.learner_case import LearnerCase


class TestMuse(LearnerCase):
    name = "muse"
    garbage = 1e6  # its messages take finite numbers
    reads_batch = True  # modality vectors are those of the batch


def dense_muse(backbone: MuseBackbone, tokens: torch.Tensor, layout: EdgeLayout) -> torch.Tensor:
    """The same mathematics as masked [N, K, d] arithmetic, with concatenations."""
    size = (layout.num_patients, layout.num_modalities)
    mask = layout.presence.to(tokens.dtype).unsqueeze(-1)
    edge = tokens.new_zeros(*size, tokens.size(1)).index_put((layout.patient, layout.modality), tokens)
    patient, modality = backbone.patient_start.expand(size[0], -1), backbone.modality_start
    for layer in backbone.layers:
        joined = torch.cat([layer.message_node.weight, layer.message_edge.weight], dim=1)
        bias = layer.message_node.bias

        def message(node: torch.Tensor, edge: torch.Tensor, joined=joined, bias=bias) -> torch.Tensor:
            return torch.relu(torch.cat([node, edge], dim=-1) @ joined.t() + bias)

        def update(mean: torch.Tensor, node: torch.Tensor, layer=layer) -> torch.Tensor:
            weight = torch.cat([layer.update_message.weight, layer.update_node.weight], dim=1)
            return torch.relu(torch.cat([mean, node], dim=-1) @ weight.t() + layer.update_message.bias)

        into_patients = message(modality.unsqueeze(0).expand(*size, -1), edge) * mask
        into_modalities = message(patient.unsqueeze(1).expand(*size, -1), edge) * mask
        new_patient = update(into_patients.sum(1) / mask.sum(1).clamp(min=1), patient)
        new_modality = update(into_modalities.sum(0) / mask.sum(0).clamp(min=1), modality)
        if layer.edge_patient is not None:
            weight = torch.cat([layer.edge_patient.weight, layer.edge_modality.weight, layer.edge_edge.weight], dim=1)
            ends = [new_patient.unsqueeze(1).expand(*size, -1), new_modality.unsqueeze(0).expand(*size, -1), edge]
            edge = edge + torch.relu(torch.cat(ends, dim=-1) @ weight.t() + layer.edge_patient.bias)
        patient, modality = new_patient, new_modality
    return patient


@pytest.mark.parametrize("name", ["grape", "muse"])
def test_equals_dense_arithmetic_in_value_and_gradient(name: str) -> None:
    tokens, layout = random_batch()
    tokens = tokens.double().requires_grad_()
    backbone = build(name, edge_drop=0.0).double()
    backbone.dropout = 0.0
    weight = torch.randn(12, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    sparse, dense = backbone(tokens, layout).pooled, dense_muse(backbone, tokens, layout)
    torch.testing.assert_close(sparse, dense, atol=1e-12, rtol=0)
    wanted = [tokens, *backbone.parameters()]
    for got, expected in zip(
        torch.autograd.grad((sparse * weight).sum(), wanted, allow_unused=True),
        torch.autograd.grad((dense * weight).sum(), wanted, allow_unused=True),
        strict=True,
    ):
        if expected is None:
            assert got is None
        else:
            torch.testing.assert_close(got, expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize("name", ["grape", "muse"])
def test_fitted_states_reproduce_the_full_graph(name: str) -> None:
    tokens, layout = random_batch()
    backbone = build(name, edge_drop=0.0)
    backbone.dropout = 0.0
    full = backbone(tokens, layout).pooled
    backbone.eval()
    halves = [only(tokens, layout, torch.arange(6)), only(tokens, layout, torch.arange(6, 12))]
    backbone.fit_memory(lambda: halves)
    torch.testing.assert_close(backbone(tokens, layout).pooled, full, atol=1e-5, rtol=0)


@pytest.mark.parametrize("shape", ["edge", "feature"])
def test_states_fitted_under_a_mask_reproduce_the_full_graph_under_it(shape: str) -> None:
    tokens, layout = random_batch()
    backbone = build("muse", edge_drop=0.0)
    backbone.dropout = 0.0
    size = (layout.num_edges,) if shape == "edge" else (layout.num_edges, tokens.size(1))
    mask = torch.rand(size, generator=torch.Generator().manual_seed(4)) * 0.9 + 0.05
    full = backbone(tokens, layout, mask=mask).pooled
    backbone.eval()
    halves = []
    for rows in (torch.arange(6), torch.arange(6, 12)):
        mine = torch.isin(layout.patient, rows)
        halves.append((*only(tokens, layout, rows), mask[mine]))
    backbone.fit_memory(lambda: halves)
    torch.testing.assert_close(backbone(tokens, layout, mask=mask).pooled, full, atol=1e-5, rtol=0)


def test_contrastive_training_returns_a_loss_with_gradient() -> None:
    tokens, layout = random_batch()
    backbone = build("muse", contrastive=1.0).train()
    embeddings = backbone(tokens, layout, torch.full((12, 1), float("nan")))
    assert embeddings.aux_loss is not None
    embeddings.aux_loss.backward()
    assert backbone.projection.weight.grad.abs().sum() > 0
    assert backbone.eval()(tokens, layout).aux_loss is None
