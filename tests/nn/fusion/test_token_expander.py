"""Sub-tokens of modalities: each its own map, each normed."""

from __future__ import annotations

import torch

from gdsfd.nn.fusion import TokenExpander


def test_sub_tokens_are_normed_maps_of_the_modalitys_token() -> None:
    made, grid = TokenExpander(3, 4, 5), torch.randn(7, 3, 4)
    found = made(grid)
    assert found.shape == (7, 3, 5, 4)
    for k in range(3):
        rows = (grid[:, k] @ made.map.weight[k].t() + made.map.bias[k]).reshape(7, 5, 4)
        expected = (rows - rows.mean(-1, keepdim=True)) / (rows.var(-1, keepdim=True, correction=0) + 1e-5).sqrt()
        torch.testing.assert_close(found[:, k], expected)


def test_sub_tokens_of_one_modality_differ() -> None:
    found = TokenExpander(2, 4, 3)(torch.randn(1, 2, 4))
    assert (found[0, 0, 0] - found[0, 0, 1]).abs().max() > 0.1


def test_sub_tokens_may_be_narrower() -> None:
    made, grid = TokenExpander(3, 4, 5, width=2), torch.randn(7, 3, 4)
    found = made(grid)
    rows = (grid[:, 1] @ made.map.weight[1].t() + made.map.bias[1]).reshape(7, 5, 2)
    torch.testing.assert_close(found[:, 1], torch.nn.functional.layer_norm(rows, (2,)))
