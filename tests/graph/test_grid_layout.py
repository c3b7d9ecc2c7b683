"""A grid of a batch's observations answers as the list of its edges does."""

from __future__ import annotations

import torch

from gdsfd.graph.edge_layout import EdgeLayout
from gdsfd.graph.grid_layout import GridLayout


def layouts() -> tuple[EdgeLayout, GridLayout, torch.Tensor]:
    """Both forms of the same edges, and bool [K, B]; patient 3 has nothing, modality 1 nobody."""
    there = torch.rand(4, 6, generator=torch.Generator().manual_seed(0)) < 0.6
    there[:, 3], there[1] = False, False
    return EdgeLayout.from_lists([row.nonzero().squeeze(1) for row in there], 6), GridLayout(there.double()), there


def test_sizes_and_presence() -> None:
    edges, grid, _ = layouts()
    assert (grid.num_patients, grid.num_modalities) == (edges.num_patients, edges.num_modalities) == (6, 4)
    assert torch.equal(grid.presence, edges.presence)


def test_values_of_ends_means_and_rows() -> None:
    edges, grid, there = layouts()
    values = torch.randn(4, 6, 3, dtype=torch.float64)
    patients, modalities = torch.randn(6, 3, dtype=torch.float64), torch.randn(4, 3, dtype=torch.float64)
    assert torch.equal(grid.of_patients(patients).expand(4, 6, 3)[there], edges.of_patients(patients))
    assert torch.equal(grid.of_modalities(modalities).expand(4, 6, 3)[there], edges.of_modalities(modalities))
    torch.testing.assert_close(grid.patient_mean(values), edges.patient_mean(values[there]))
    assert torch.equal(grid.flat_tokens(values), edges.flat_tokens(values[there]))


def test_hiding_keeps_the_shape_and_about_the_share() -> None:
    grid = GridLayout(torch.ones(50, 200))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        hidden, places = grid.hide(0.3)
    assert places is None
    assert hidden.there.shape == (50, 200)
    assert set(hidden.there.unique().tolist()) == {0.0, 1.0}
    assert abs(float(hidden.there.mean()) - 0.7) < 0.02  # four standard errors


def test_hiding_edges_of_a_list_says_which_are_left() -> None:
    edges, _, _ = layouts()
    with torch.random.fork_rng():
        torch.manual_seed(1)
        left, places = edges.hide(0.5)
    assert 0 < len(places) < edges.num_edges
    assert torch.equal(left.patient, edges.patient[places])
    assert torch.equal(left.modality, edges.modality[places])


def test_nothing_absent_comes_back() -> None:
    _, grid, there = layouts()
    keep = torch.rand(6, 4) < 0.5
    assert torch.equal(grid.restrict(keep).presence, there.t() & keep)
