"""Cells as packed runs and back, and layouts of fewer cells."""

from __future__ import annotations

import torch
from torch_geometric.data import HeteroData

from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.encoders.cells import CellLayout, Cells
from tests.nn.encoders.built_cells import cell_tokens


def test_packed_and_back() -> None:
    """The first and the last observation have no cell."""
    cells = Cells(torch.tensor([1, 1, 2]), torch.tensor([0, 3, 0]), torch.arange(6.0).view(3, 2), 4)
    length, packed = cells.runs()
    assert length.tolist() == [0, 2, 1, 0]
    assert set(packed) == {"cell_node", "cell_value"}
    ptr = torch.cat([length.new_zeros(1), length.cumsum(0)])
    back = Cells.from_runs(ptr, packed["cell_node"], packed["cell_value"])
    assert back.num_observations == 4
    assert torch.equal(back.observation, cells.observation)
    assert torch.equal(back.node, cells.node)
    assert torch.equal(back.value, cells.value)


def test_fewer_edges_keep_their_values(graph: HeteroData) -> None:
    layout = cell_tokens(graph)(PatientStore(graph).batch(torch.arange(30)))[1]
    mask = torch.rand(layout.num_edges, generator=torch.Generator().manual_seed(0)) < 0.5
    kept = layout.keep(mask)
    assert isinstance(kept, CellLayout)
    torch.testing.assert_close(kept.value, layout.value[mask], equal_nan=True)
    assert kept.modality_degree.sum() == mask.sum()
