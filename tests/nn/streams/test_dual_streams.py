"""Streams on every kind of backbone: complements, gradients, one patient alone."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from gdsfd.graph.edge_layout import EdgeLayout
from gdsfd.nn.backbones import Backbone, ConcatBackbone, MuseBackbone
from gdsfd.nn.embeddings import Embeddings
from gdsfd.nn.streams import DualStreams, swapped
from gdsfd.nn.streams.mask_generator import MaskGenerator


class PooledBackbone(Backbone):
    """Offers one vector per patient."""

    streams_on = "pooled"

    def __init__(self, channels: int, num_modalities: int, dropout: float = 0.0) -> None:
        super().__init__(channels, num_modalities, dropout)
        self.inner = ConcatBackbone(channels, num_modalities, dropout, edge_drop=0.0)

    def forward(self, tokens: Tensor, layout: EdgeLayout, y: Tensor | None = None) -> Embeddings:
        return Embeddings(self.inner(tokens, layout).pooled, None, layout.presence)


class GridBackbone(Backbone):
    """Offers tokens per patient and modality, [B, K, d]."""

    streams_on = "tokens"

    def forward(self, tokens: Tensor, layout: EdgeLayout, y: Tensor | None = None) -> Embeddings:
        grid = tokens.new_zeros(layout.num_patients, layout.num_modalities, self.channels)
        grid = grid.index_put((layout.patient, layout.modality), torch.tanh(tokens))
        return Embeddings(grid.sum(1), grid, layout.presence)


def layout_of(patients: int) -> EdgeLayout:
    every = torch.arange(patients)
    return EdgeLayout.from_lists([every, every[: patients // 2], every[1::2]], patients)


def streams_on(kind: str, channels: int = 8) -> DualStreams:
    torch.manual_seed(0)
    make = {"concat": ConcatBackbone, "muse": MuseBackbone, "pooled": PooledBackbone, "grid": GridBackbone}[kind]
    reader = lambda: MuseBackbone(channels, 3, 0.0, edge_drop=0.0)  # noqa: E731
    build = lambda: make(channels, 3, dropout=0.0) if kind != "muse" else reader()  # noqa: E731
    if kind == "pooled":
        return DualStreams(build(), None, None)
    if kind == "grid":
        return DualStreams(build(), reader(), reader(), MaskGenerator(channels, 3))
    return DualStreams(build(), None, build(), MaskGenerator(channels, 3))


KINDS = ["concat", "muse", "pooled", "grid"]


@pytest.mark.parametrize("kind", KINDS)
def test_both_codes_for_every_patient_and_gradients_for_every_parameter(kind: str) -> None:
    streams, layout = streams_on(kind), layout_of(10)
    tokens = torch.randn(layout.num_edges, 8, requires_grad=True)
    codes = streams(tokens, layout)
    assert codes.causal.shape == codes.biased.shape == (10, 8)
    weight = torch.randn(10, 8)  # a plain sum would leave some gradients at 0 by symmetry
    ((codes.causal * weight).sum() + (codes.biased.square() * weight).sum()).backward()
    assert tokens.grad is not None
    assert bool(torch.isfinite(tokens.grad).all())
    assert float(tokens.grad.abs().sum()) > 0
    masker = [parameter.grad for parameter in streams.masker.parameters()]
    assert any(grad is not None and float(grad.abs().sum()) > 0 for grad in masker)


@pytest.mark.parametrize("kind", KINDS)
def test_each_stream_has_weights_of_its_own(kind: str) -> None:
    streams, layout = streams_on(kind), layout_of(10)
    codes = streams(torch.randn(layout.num_edges, 8), layout)
    assert not torch.allclose(codes.causal, codes.biased)
    codes.biased.square().sum().backward()
    part = streams.masker.causal if kind == "pooled" else (streams.causal or streams.backbone)  # type: ignore[union-attr]
    assert isinstance(part, nn.Module)
    assert all(parameter.grad is None or not bool(parameter.grad.any()) for parameter in part.parameters())


@pytest.mark.parametrize("kind", KINDS)
def test_one_patient_alone_gets_the_same_codes(kind: str) -> None:
    streams, layout = streams_on(kind), layout_of(12)
    for parameter in streams.masker.parameters():
        nn.init.normal_(parameter, std=0.3)
    tokens = torch.randn(layout.num_edges, 8)
    streams.eval()
    streams.fit_memory(lambda: [(tokens, layout)])
    together = streams(tokens, layout)
    for patient in (0, 3, 11):
        mine = layout.patient == patient
        owned = [torch.zeros(int((layout.modality[mine] == k).sum()), dtype=torch.long) for k in range(3)]
        alone = streams(tokens[mine], EdgeLayout.from_lists(owned, 1))
        torch.testing.assert_close(alone.causal[0], together.causal[patient])
        torch.testing.assert_close(alone.biased[0], together.biased[patient])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("patients", [0, 1])
def test_empty_batches_and_patients_without_edges(kind: str, patients: int) -> None:
    streams = streams_on(kind).eval()
    layout = EdgeLayout.from_lists([torch.empty(0, dtype=torch.long)] * 3, patients)
    codes = streams(torch.zeros(0, 8), layout)
    assert codes.causal.shape == codes.biased.shape == (patients, 8)
    assert bool(torch.isfinite(codes.causal).all())


def test_a_mask_of_one_on_concat_is_the_backbone_on_doubled_tokens() -> None:
    streams, layout = streams_on("concat").eval(), layout_of(6)
    tokens = torch.randn(layout.num_edges, 8)
    expected = streams.backbone(tokens, layout).pooled  # at the start the mask is 1/2 and tokens pass unchanged
    torch.testing.assert_close(streams(tokens, layout).causal, expected)


@pytest.mark.parametrize("level", ["feature", "edge", "both"])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_saturated_masks_leave_gradients_finite(level: str, sign: float) -> None:
    """Scores of 0 or 1 to the last digit: a stream without evidence must not end the training of the other."""
    torch.manual_seed(0)
    masker = MaskGenerator(8, 3, level)  # type: ignore[arg-type]
    streams = DualStreams(MuseBackbone(8, 3, 0.0), None, MuseBackbone(8, 3, 0.0), masker)
    assert isinstance(streams.masker, MaskGenerator)
    for layer in (streams.masker.feature, streams.masker.edge):
        if layer is not None:
            nn.init.constant_(layer.weight, sign * 5.0)
    layout = layout_of(6)
    tokens = (torch.randn(layout.num_edges, 8) * 10).requires_grad_()
    codes = streams(tokens, layout)
    assert bool(((codes.mask < 1e-5) | (codes.mask > 1 - 1e-5)).any())
    (codes.causal.square().sum() + codes.biased.square().sum()).backward()
    assert tokens.grad is not None
    found = [tokens.grad, *(each.grad for each in streams.parameters() if each.grad is not None)]
    assert all(bool(torch.isfinite(each).all()) for each in found)
    assert max(float(each.abs().max()) for each in found) < 1e8


def test_swap_permutes_and_says_whose_codes_they_are() -> None:
    torch.manual_seed(3)
    biased = torch.randn(9, 4)
    moved, other = swapped(biased)
    torch.testing.assert_close(moved, biased[other])
    assert sorted(other.tolist()) == list(range(9))
    alone, _ = swapped(biased[:1])
    torch.testing.assert_close(alone, biased[:1])


def seen_by(part: Backbone) -> list[dict[str, Tensor | None]]:
    """What a backbone is called with: its tokens and its mask."""
    calls: list[dict[str, Tensor | None]] = []
    part.register_forward_pre_hook(
        lambda module, args, kwargs: calls.append({"tokens": args[0], "mask": kwargs.get("mask")}), with_kwargs=True
    )
    return calls


@pytest.mark.parametrize("kind", ["concat", "muse", "grid"])
def test_what_one_stream_gets_the_other_lacks(kind: str) -> None:
    """The two parts add up to all: masks to 1, tokens to twice the tokens."""
    streams, layout = streams_on(kind), layout_of(10)
    for parameter in streams.masker.parameters():
        nn.init.normal_(parameter)
    first = streams.causal if kind == "grid" else streams.backbone
    causal, biased = seen_by(first), seen_by(streams.biased)
    tokens = torch.randn(layout.num_edges, 8)
    mask = streams(tokens, layout).mask
    assert float(mask.detach().std()) > 0.05
    (one,), (other,) = causal, biased
    if first.takes_mask:
        torch.testing.assert_close(one["mask"], mask)
        torch.testing.assert_close(one["mask"] + other["mask"], torch.ones_like(mask))
        torch.testing.assert_close(one["tokens"], other["tokens"])
    else:
        torch.testing.assert_close(one["tokens"], 2 * mask * tokens)
        torch.testing.assert_close(one["tokens"] + other["tokens"], 2 * tokens)


@pytest.mark.parametrize("kind", ["concat", "muse"])
def test_a_stream_without_any_share_is_a_backbone_on_nothing(kind: str) -> None:
    """With the mask forced to 1 the causal stream sees all and the biased one nothing."""
    streams, layout = streams_on(kind).eval(), layout_of(10)
    tokens = torch.randn(layout.num_edges, 8)
    streams.masker.forward = lambda tokens, layout: torch.ones_like(tokens)  # type: ignore[method-assign]
    codes = streams(tokens, layout)
    if streams.backbone.takes_mask:
        whole = streams.backbone(tokens, layout, None, mask=torch.ones_like(tokens)).pooled
        nothing = streams.biased(tokens, layout, None, mask=torch.zeros_like(tokens)).pooled
    else:
        whole = streams.backbone(2 * tokens, layout, None).pooled
        nothing = streams.biased(torch.zeros_like(tokens), layout, None).pooled
    torch.testing.assert_close(codes.causal, whole)
    torch.testing.assert_close(codes.biased, nothing)
    other = streams(torch.randn(layout.num_edges, 8), layout)
    torch.testing.assert_close(codes.biased, other.biased)  # whatever the tokens are


def test_the_biased_streams_memory_is_of_what_the_causal_stream_lacks() -> None:
    streams, layout = streams_on("muse"), layout_of(12)
    tokens = torch.randn(layout.num_edges, 8)
    nn.init.normal_(streams.masker.feature.weight)
    streams.eval().fit_memory(lambda: [(tokens, layout)])
    mask = streams.masker(tokens, layout).detach()
    for part, share in ((streams.backbone, mask), (streams.biased, 1 - mask)):
        found = part.states.clone()
        part.fit_memory(lambda share=share: [(tokens, layout, share)])
        torch.testing.assert_close(found, part.states)
