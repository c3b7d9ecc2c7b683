"""Backbones by name: near names, options, and one of ones own."""

from __future__ import annotations

import pytest
import torch

from gdsfd.errors import InputError
from gdsfd.graph.edge_layout import EdgeLayout
from gdsfd.nn.backbones import Backbone, build_backbone, known_backbones, register_backbone
from gdsfd.nn.backbones.registry import BACKBONES, backbone_level, check_backbone
from gdsfd.nn.embeddings import Embeddings
from tests.nn.backbones.batches import random_batch


@pytest.fixture(autouse=True)
def _declared_for_one_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BACKBONES, "_parts", {name: BACKBONES.find(name) for name in BACKBONES.names()})


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


def test_levels() -> None:
    assert [backbone_level(name) for name in ("concat", "muse", "grape")] == ["modality", "modality", "cell"]


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("mues", {}, "unknown backbone 'mues'. Did you mean 'muse'"),
        (3, {}, "backbone: expected one of .*'concat', .*got 3"),
        ("muse", {"layer": 2}, "unknown option of the backbone 'muse': 'layer'.*'layers'"),
        ("muse", {"num_modalities": 2}, "unknown option of the backbone 'muse': 'num_modalities'"),
    ],
)
def test_what_is_refused(name: object, options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_backbone(name, options)


def test_a_method_of_an_earlier_name_is_refused() -> None:
    with pytest.raises(InputError, match="overrides fit_states, which nothing calls: it is now fit_memory"):
        register_backbone("old")(type("Old", (Backbone,), {"fit_states": lambda self, batches: None}))
    assert "old" not in known_backbones()
