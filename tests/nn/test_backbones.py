"""Backbones: batch independence, permutations, absent modalities and patients, against dense oracles."""

from __future__ import annotations

import pytest
import torch

from gdsfd.errors import InputError
from gdsfd.graph.edge_layout import EdgeLayout
from gdsfd.nn.backbones import Backbone, MuseBackbone, build_backbone, known_backbones, register_backbone
from gdsfd.nn.backbones.contrast import contrastive_loss
from gdsfd.nn.embeddings import Embeddings

NAMES = ("concat", "grape", "muse")


def random_batch(num_patients: int = 12, num_modalities: int = 4, channels: int = 6, seed: int = 0):
    generator = torch.Generator().manual_seed(seed)
    presence = torch.rand(num_patients, num_modalities, generator=generator) < 0.6
    presence[3] = False  # a patient with nothing
    presence[:, 2] = False  # a modality nobody has
    layout = EdgeLayout.from_lists([presence[:, k].nonzero().squeeze(1) for k in range(num_modalities)], num_patients)
    return torch.randn(layout.num_edges, channels, generator=generator), layout


def build(name: str, **options: object) -> Backbone:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return build_backbone(name, 6, 4, dropout=0.2, **options)


def only(tokens: torch.Tensor, layout: EdgeLayout, patients: torch.Tensor) -> tuple[torch.Tensor, EdgeLayout]:
    """The edges of ``patients`` alone, renumbered in their order."""
    place = {int(patient): number for number, patient in enumerate(patients)}
    parts, lists = [], []
    for modality in range(layout.num_modalities):
        mine = [
            (place[int(layout.patient[edge])], edge)
            for edge in range(int(layout.modality_ptr[modality]), int(layout.modality_ptr[modality + 1]))
            if int(layout.patient[edge]) in place
        ]
        mine.sort()
        lists.append(torch.tensor([number for number, _ in mine], dtype=torch.long))
        parts.extend(edge for _, edge in mine)
    return tokens[parts], EdgeLayout.from_lists(lists, len(patients))


@pytest.mark.parametrize("name", NAMES)
def test_alone_shuffled_and_together_agree(name: str) -> None:
    tokens, layout = random_batch()
    backbone = build(name).eval()
    backbone.fit_memory(lambda: [(tokens, layout)])
    together = backbone(tokens, layout).pooled
    assert torch.isfinite(together).all()
    order = torch.randperm(12, generator=torch.Generator().manual_seed(5))
    torch.testing.assert_close(backbone(*only(tokens, layout, order)).pooled, together[order], atol=1e-5, rtol=0)
    for patient in range(12):
        single = backbone(*only(tokens, layout, torch.tensor([patient]))).pooled
        torch.testing.assert_close(single[0], together[patient], atol=1e-5, rtol=0)


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


@pytest.mark.parametrize("name", NAMES)
def test_no_edges_at_all(name: str) -> None:
    layout = EdgeLayout.from_lists([torch.empty(0, dtype=torch.long)] * 4, 3)
    for mode in (True, False):
        embeddings = build(name).train(mode)(torch.empty(0, 6), layout)
        assert embeddings.pooled.shape == (3, 6)
        assert torch.isfinite(embeddings.pooled).all()
        assert not embeddings.presence.any()


@pytest.mark.parametrize("name", NAMES)
def test_hidden_edges_hide_their_tokens(name: str) -> None:
    tokens, layout = random_batch()
    tokens.requires_grad_()
    backbone = build(name, edge_drop=0.999999).train()
    backbone(tokens, layout).pooled.sum().backward()
    assert (tokens.grad == 0).all()


@pytest.mark.parametrize("labels", ["binary", "multiclass"])
def test_contrastive_loss_handles_unlabelled_and_tiny_batches(labels: str) -> None:
    vectors = torch.nn.functional.normalize(torch.randn(4, 5, generator=torch.Generator().manual_seed(0)), dim=-1)
    nothing = torch.full((4, 1), float("nan")) if labels == "binary" else torch.full((4,), -1)
    some = torch.tensor([[1.0], [float("nan")], [0.0], [1.0]]) if labels == "binary" else torch.tensor([1, -1, 0, 1])
    unsupervised = contrastive_loss(vectors, vectors, nothing, 0.1)
    both = contrastive_loss(vectors, vectors, some, 0.1)
    assert torch.isfinite(unsupervised)
    assert torch.isfinite(both)
    assert both > unsupervised
    assert contrastive_loss(vectors[:1], vectors[:1], some[:1], 0.1) == 0


def test_contrastive_training_returns_a_loss_with_gradient() -> None:
    tokens, layout = random_batch()
    backbone = build("muse", contrastive=1.0).train()
    embeddings = backbone(tokens, layout, torch.full((12, 1), float("nan")))
    assert embeddings.aux_loss is not None
    embeddings.aux_loss.backward()
    assert backbone.projection.weight.grad.abs().sum() > 0
    assert backbone.eval()(tokens, layout).aux_loss is None


def test_registry_names_near_ones_and_takes_own_backbones() -> None:
    with pytest.raises(InputError, match=r"unknown backbone 'mues'. Did you mean 'muse'\?"):
        build_backbone("mues", 6, 4)
    with pytest.raises(InputError, match="does not take these options"):
        build_backbone("concat", 6, 4, layers=3)

    @register_backbone("mean-of-tokens")
    class MeanOfTokens(Backbone):
        def forward(self, tokens: torch.Tensor, layout: EdgeLayout, y: torch.Tensor | None = None) -> Embeddings:
            pooled = tokens.new_zeros(layout.num_patients, self.channels).index_add_(0, layout.patient, tokens)
            return Embeddings(pooled, tokens, layout.presence)

    assert "mean-of-tokens" in known_backbones()
    assert build_backbone("mean-of-tokens", 6, 4)(*random_batch()).pooled.shape == (12, 6)
    with pytest.raises(InputError, match="is taken by MuseBackbone"):
        register_backbone("muse")(MeanOfTokens)
