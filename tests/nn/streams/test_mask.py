"""Masks by name: built with their options, refused without."""

from __future__ import annotations

from typing import Annotated

import pytest
import torch
from torch import Tensor

from gdsfd.errors import InputError
from gdsfd.graph.edge_layout import EdgeLayout
from gdsfd.nn.streams import Mask, MaskGenerator, build_mask, register_mask
from gdsfd.nn.streams.mask import MASKS, check_mask
from gdsfd.setting_checks import Number


def test_built_by_name_with_its_options() -> None:
    mask = build_mask("learned", 8, 3, level="edge", hidden=2)
    assert isinstance(mask, MaskGenerator)
    assert (mask.level, mask.inner.out_features) == ("edge", 2)
    assert check_mask("learned", {"level": "both"}) is MaskGenerator


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("learnt", {}, r"debias setting 'mask': unknown mask 'learnt'\. Did you mean 'learned'"),
        ("learned", {"levels": "edge"}, r"unknown option of the mask 'learned': 'levels'"),
        ("learned", {"level": "node"}, r"option of the mask 'learned': 'level': expected one of .* got 'node'"),
        ("learned", {"hidden": 0}, r"'hidden': expected a whole number from 1 to 4,096 or none, got 0"),
        ("learned", {"channels": 4}, r"unknown option of the mask 'learned': 'channels'"),
    ],
)
def test_what_is_refused(name: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_mask(name, options)


def test_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MASKS, "_parts", {name: MASKS.find(name) for name in MASKS.names()})

    @register_mask("share")
    class Share(Mask):
        def __init__(self, channels: int, num_modalities: int, of: Annotated[float, Number(0, 1)] = 0.5) -> None:
            super().__init__(channels, num_modalities)
            self.of = of

        def forward(self, tokens: Tensor, layout: EdgeLayout) -> Tensor:
            return torch.full((len(tokens), 1), self.of)

    every = torch.arange(3)
    layout = EdgeLayout.from_lists([every], 3)
    assert build_mask("share", 4, 1, of=0.25)(torch.zeros(3, 4), layout).tolist() == [[0.25]] * 3
    with pytest.raises(InputError, match="option of the mask 'share': 'of': expected a number from 0 to 1, got 2"):
        check_mask("share", {"of": 2})
