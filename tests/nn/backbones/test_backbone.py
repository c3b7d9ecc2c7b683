"""What holds for every backbone: alone, shuffled and together agree; no edges; hidden edges."""

from __future__ import annotations

import pytest
import torch

from gdsfd.graph.edge_layout import EdgeLayout
from gdsfd.nn.backbones import Backbone
from gdsfd.nn.embeddings import Embeddings
from tests.nn.backbones.batches import NAMES, build, only, random_batch


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


def test_a_backbone_of_ones_own_has_no_memory_until_it_says_so() -> None:
    class Sum(Backbone):
        def forward(self, tokens: torch.Tensor, layout: EdgeLayout, y: torch.Tensor | None = None) -> Embeddings:
            raise NotImplementedError

    class Remembers(Sum):
        def fit_memory(self, batches: object) -> None:
            raise NotImplementedError

    assert not Sum(6, 4).has_memory
    assert Remembers(6, 4).has_memory
    assert [build(name).has_memory for name in NAMES] == [False, True, True]
    assert (Sum(6, 4).streams_on, Sum(6, 4).takes_mask, Sum(6, 4).level) == ("input", False, "modality")
