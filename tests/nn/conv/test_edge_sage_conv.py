"""The layer against concatenations, patient by patient; masks of messages in the layer and in ``muse``."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from gdsfd.errors import InputError
from gdsfd.graph.edge_layout import EdgeLayout
from gdsfd.nn.backbones import MuseBackbone, build_backbone
from gdsfd.nn.conv import EdgeSAGEConv


def a_batch(seed: int = 0, channels: int = 4) -> tuple[Tensor, EdgeLayout]:
    generator = torch.Generator().manual_seed(seed)
    presence = torch.rand(7, 3, generator=generator) < 0.6
    presence[2] = False  # a patient with nothing
    presence[:, 1] = False  # a modality nobody has
    layout = EdgeLayout.from_lists([presence[:, k].nonzero().squeeze(1) for k in range(3)], 7)
    return torch.randn(layout.num_edges, channels, dtype=torch.float64, generator=generator), layout


def masks(layout: EdgeLayout, channels: int, kind: str) -> Tensor | None:
    generator = torch.Generator().manual_seed(9)
    if kind == "none":
        return None
    size = (layout.num_edges,) if kind == "edge" else (layout.num_edges, channels)
    mask = torch.rand(size, dtype=torch.float64, generator=generator)
    if kind == "hard":
        mask = mask.round()
        mask[layout.patient == 0] = 0  # a patient all of whose edges are masked
    return mask.requires_grad_()


def by_concatenation(
    conv: EdgeSAGEConv, patient: Tensor, modality: Tensor, edge: Tensor, layout: EdgeLayout, mask: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    message = torch.cat([conv.message_node.weight, conv.message_edge.weight], dim=1)
    update = torch.cat([conv.update_message.weight, conv.update_node.weight], dim=1)
    columns = edge.new_ones(edge.shape) if mask is None else mask.view(len(edge), -1).expand_as(edge)

    def new(node: Tensor, others: Tensor, mine: Tensor, theirs: Tensor) -> Tensor:
        rows = []
        for number in range(len(node)):
            entering = (mine == number).nonzero().squeeze(1)
            total, norm = edge.new_zeros(edge.size(1)), edge.new_zeros(edge.size(1))
            for one in entering:
                joined = torch.cat([others[theirs[one]], edge[one]])
                total = total + columns[one] * torch.relu(message @ joined + conv.message_node.bias)
                norm = norm + columns[one]
            mean = torch.where(norm == 0, 0, total / torch.where(norm == 0, 1, norm))
            rows.append(torch.relu(update @ torch.cat([mean, node[number]]) + conv.update_message.bias))
        return torch.stack(rows)

    new_patient = new(patient, modality, layout.patient, layout.modality)
    new_modality = new(modality, patient, layout.modality, layout.patient)
    if conv.edge_patient is None:
        return new_patient, new_modality, edge
    joined = torch.cat([new_patient[layout.patient], new_modality[layout.modality], edge], dim=1)
    weight = torch.cat([conv.edge_patient.weight, conv.edge_modality.weight, conv.edge_edge.weight], dim=1)
    return new_patient, new_modality, edge + torch.relu(joined @ weight.t() + conv.edge_patient.bias)


@pytest.mark.parametrize("kind", ["none", "edge", "channel", "hard"])
@pytest.mark.parametrize("common", [False, True])
@pytest.mark.parametrize("update_edges", [False, True])
@pytest.mark.parametrize("backend", ["auto", "reference", "segment"])
def test_layer(kind: str, common: bool, update_edges: bool, backend: str) -> None:
    edge, layout = a_batch()
    generator = torch.Generator().manual_seed(4)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        conv = EdgeSAGEConv(4, update_edges=update_edges).double()
    patient = torch.randn(1 if common else 7, 4, dtype=torch.float64, generator=generator).requires_grad_()
    modality = torch.randn(3, 4, dtype=torch.float64, generator=generator).requires_grad_()
    mask = masks(layout, 4, kind)
    edge.requires_grad_()
    leaves = [patient, modality, edge, *conv.parameters()] + ([] if mask is None else [mask])

    def with_gradients(outputs: tuple[Tensor, ...]) -> list[Tensor]:
        loss = sum((out * torch.arange(out.numel(), dtype=out.dtype).view(out.shape).cos()).sum() for out in outputs)
        return [*outputs, *torch.autograd.grad(loss, leaves)]

    got = with_gradients(conv(patient, modality, edge, layout, mask, backend))
    plain = with_gradients(by_concatenation(conv, patient.expand(7, -1), modality, edge, layout, mask))
    for one, other in zip(got, plain, strict=True):
        torch.testing.assert_close(one, other, atol=1e-11, rtol=0)


@pytest.mark.parametrize("kind", ["none", "edge", "channel"])
@pytest.mark.parametrize("backend", ["auto", "reference", "segment"])
def test_edges_that_share_a_row(kind: str, backend: str) -> None:
    """As the edges' own copies of the row, whose gradients add up."""
    _, layout = a_batch()
    generator = torch.Generator().manual_seed(8)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        conv = EdgeSAGEConv(4).double()
    rows = torch.randn(5, 4, dtype=torch.float64, generator=generator).requires_grad_()
    take = torch.randint(0, 5, (layout.num_edges,), generator=generator)
    modality = torch.randn(3, 4, dtype=torch.float64, generator=generator)
    found = []
    for edge, place in ((rows, take), (rows[take], None)):
        outputs = conv(torch.ones(1, 4).double(), modality, edge, layout, masks(layout, 4, kind), backend, place)
        loss = sum((out * torch.arange(out.numel()).view(out.shape).cos()).sum() for out in outputs)
        found.append([*outputs, *torch.autograd.grad(loss, [rows, *conv.parameters()])])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, atol=1e-11, rtol=0)


def test_autocast_is_left_to_torch() -> None:
    edge, layout = a_batch()
    conv = EdgeSAGEConv(4)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        patient, modality, _ = conv(
            torch.ones(1, 4), torch.ones(3, 4), edge.float(), layout, masks(layout, 4, "edge").float()
        )
    assert patient.dtype == modality.dtype == torch.bfloat16
    assert torch.isfinite(patient).all()


def muse(**options: object) -> MuseBackbone:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        backbone = build_backbone("muse", 4, 3, dropout=0.0, **options).double()
    assert isinstance(backbone, MuseBackbone)
    return backbone


def test_muse_says_that_it_takes_masks() -> None:
    assert MuseBackbone.takes_mask


@pytest.mark.parametrize("shape", ["edge", "channel"])
@pytest.mark.parametrize("training", [False, True])
def test_masks_of_one_change_nothing_and_of_zero_hide(shape: str, training: bool) -> None:
    tokens, layout = a_batch()
    backbone = muse(edge_drop=0.0, layers=1).train(training)
    like = tokens if shape == "channel" else tokens[:, 0]
    plain = backbone(tokens, layout).pooled
    torch.testing.assert_close(backbone(tokens, layout, mask=torch.ones_like(like)).pooled, plain)
    kept = torch.rand(layout.num_edges, generator=torch.Generator().manual_seed(2)) < 0.5
    hidden = torch.ones_like(like)
    hidden[~kept] = 0
    without = backbone(tokens[kept], layout.keep(kept)).pooled
    torch.testing.assert_close(backbone(tokens, layout, mask=hidden).pooled, without)
    # The same share of every message is no change: messages are normalised by the mask's sum.
    torch.testing.assert_close(backbone(tokens, layout, mask=torch.full_like(like, 0.3)).pooled, plain)


@pytest.mark.parametrize("kind", ["edge", "channel", "hard"])
def test_fitted_states_of_masked_batches_reproduce_the_full_graph(kind: str) -> None:
    tokens, layout = a_batch()
    mask = masks(layout, 4, kind)
    assert mask is not None
    backbone = muse(edge_drop=0.0, layers=3)
    backbone.eval()
    backbone.fit_memory(lambda: [(tokens, layout, mask.detach())])
    fitted = backbone(tokens, layout, mask=mask).pooled
    torch.testing.assert_close(backbone.train()(tokens, layout, mask=mask).pooled, fitted, atol=1e-6, rtol=0)
    backbone.eval().fit_memory(lambda: [(tokens, layout)])
    plain = backbone(tokens, layout).pooled
    torch.testing.assert_close(backbone.train()(tokens, layout).pooled, plain, atol=1e-6, rtol=0)
    assert (plain - fitted).abs().max() > 1e-3


def test_dropping_edges_drops_their_masks() -> None:
    tokens, layout = a_batch()
    mask = torch.ones(layout.num_edges, dtype=torch.float64, requires_grad=True)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        muse(edge_drop=0.5, contrastive=1.0).train()(tokens, layout, torch.ones(7, 1), mask=mask)
        torch.manual_seed(3)
        kept = torch.rand(layout.num_edges) >= 0.5
        torch.manual_seed(3)
        muse(edge_drop=0.5).train()(tokens, layout, mask=mask).pooled.square().sum().backward()
    assert 0 < int(kept.sum()) < layout.num_edges
    assert (mask.grad[~kept] == 0).all()
    assert (mask.grad != 0).any()


def test_widths_and_weights_drawn_anew() -> None:
    with pytest.raises(InputError, match="expected out_channels = in_channels = 4, got 5"):
        EdgeSAGEConv(4, 5)
    conv = EdgeSAGEConv(4, 4)
    before = {name: value.clone() for name, value in conv.named_parameters()}
    torch.manual_seed(1)
    conv.reset_parameters()
    assert (conv.in_channels, conv.out_channels) == (4, 4)
    assert all(not torch.equal(value, before[name]) for name, value in conv.named_parameters())


@pytest.mark.parametrize("kind", ["none", "edge", "channel", "hard"])
@pytest.mark.parametrize("update_edges", [False, True])
def test_edges_that_share_rows_and_a_last_layer(kind: str, update_edges: bool) -> None:
    layout = a_batch()[1]
    generator = torch.Generator().manual_seed(5)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        conv = EdgeSAGEConv(4, update_edges=update_edges).double()
    rows = torch.randn(3, 4, dtype=torch.float64, generator=generator).requires_grad_()
    take = torch.randint(3, (layout.num_edges,), generator=generator)
    patient = torch.randn(1, 4, dtype=torch.float64, generator=generator).requires_grad_()
    modality = torch.randn(3, 4, dtype=torch.float64, generator=generator).requires_grad_()
    mask = masks(layout, 4, kind)
    expected = by_concatenation(conv, patient.expand(7, -1), modality, rows[take], layout, mask)
    norm = conv.norm(rows, layout, mask)
    last = conv.new_patients(patient, modality, rows, layout, mask, norm, take)
    outputs = (*conv(patient, modality, rows, layout, mask, take=take, norm=norm), last)
    above = [torch.randn(each.shape, dtype=torch.float64, generator=generator) for each in outputs]
    leaves = [patient, modality, rows, *conv.parameters()] + ([] if mask is None else [mask])
    every = [
        torch.autograd.grad(each, leaves, above, retain_graph=True, allow_unused=True)
        for each in (outputs, (*expected, expected[0]))
    ]
    for found, right in zip((*outputs, *every[0]), (*expected, expected[0], *every[1])):
        assert (found is None) == (right is None)
        if found is not None and right is not None:
            torch.testing.assert_close(found, right, rtol=0, atol=1e-12)
