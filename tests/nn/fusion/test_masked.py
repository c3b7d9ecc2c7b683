"""Grids with absent places, against loops over patients."""

from __future__ import annotations

import torch

from gdsfd.graph.edge_layout import EdgeLayout
from gdsfd.graph.grid_layout import GridLayout
from gdsfd.nn.fusion import masked_grid, masked_mean, masked_softmax

PRESENCE = torch.tensor([[True, False, True], [False, False, False], [False, True, False], [True, True, True]])


def test_lists_and_grids_give_the_same_and_absent_places_do_not_come_through() -> None:
    whole = torch.randn(4, 3, 5)
    edges = EdgeLayout.from_lists([column.nonzero().squeeze(1) for column in PRESENCE.unbind(1)], 4)
    expected = torch.where(PRESENCE.unsqueeze(2), whole, 0.0)
    listed, there = masked_grid(whole[edges.patient, edges.modality], edges)
    spoiled = torch.where(PRESENCE.unsqueeze(2), whole, torch.nan).transpose(0, 1).requires_grad_()
    grid, also_there = masked_grid(spoiled, GridLayout(PRESENCE.t().float()))
    assert torch.equal(listed, expected)
    assert torch.equal(grid, expected)
    assert torch.equal(there, PRESENCE.float())
    assert torch.equal(also_there, PRESENCE.float())
    grid.sum().backward()
    assert torch.equal(spoiled.grad, PRESENCE.t().float().unsqueeze(2).expand(3, 4, 5))


def test_means_are_over_present_modalities() -> None:
    values = torch.randn(4, 3, 2, 5)
    found = masked_mean(values, PRESENCE.float())
    for patient in range(4):
        mine = values[patient][PRESENCE[patient]]
        torch.testing.assert_close(found[patient], mine.mean(0) if len(mine) else torch.zeros(2, 5))


def test_softmax_is_over_what_the_mask_lets_through() -> None:
    scores = (100 * torch.randn(4, 3)).requires_grad_()
    found = masked_softmax(scores, PRESENCE)
    for patient in range(4):
        has = PRESENCE[patient]
        torch.testing.assert_close(found[patient][has], scores[patient][has].softmax(0))
        assert (found[patient][~has] == 0).all()
    assert torch.equal(masked_softmax(scores, None), scores.softmax(1))
    found.square().sum().backward()
    assert torch.isfinite(scores.grad).all()
    assert (scores.grad[~PRESENCE] == 0).all()
