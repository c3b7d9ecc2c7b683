"""The parts of the plain step of two streams."""

from __future__ import annotations

import pytest
import torch

from gdsfd.bench.opponents.plain_encoder import PlainConv
from gdsfd.bench.opponents.plain_muse import StackedConv
from gdsfd.bench.opponents.plain_streams import MaskedConv, PlainMasker
from gdsfd.nn.streams import MaskGenerator


def test_messages_are_divided_by_the_sum_of_their_masks():
    torch.manual_seed(0)
    conv = MaskedConv(2, update_edges=False).double()
    patient, modality = torch.randn(2, 2).double(), torch.randn(3, 2).double()
    edge_attr, mask = torch.randn(3, 2).double(), torch.rand(3, 2).double()
    edge_index = torch.tensor([[0, 1, 0], [0, 0, 2]])
    norm = (torch.stack([mask[0] + mask[2], mask[1]]), torch.ones(3, 2).double())
    found, *_ = conv(patient, modality, edge_attr, edge_index, mask, norm)
    messages = [
        mask[edge] * torch.relu(conv.message_linear(torch.cat([modality[end], edge_attr[edge]])))
        for edge, end in enumerate(edge_index[1])
    ]
    mean = torch.stack([(messages[0] + messages[2]) / (mask[0] + mask[2]), messages[1] / mask[1]])
    torch.testing.assert_close(found, torch.relu(conv.update_linear(torch.cat([mean, patient], dim=-1))))


@pytest.mark.parametrize("kind", [PlainConv, StackedConv, MaskedConv, PlainMasker])
def test_pyg_has_generated_its_fast_propagate(kind):
    PlainConv(2)  # a class derived from one that has its own already
    module = kind(MaskGenerator(2, 3)) if kind is PlainMasker else kind(2)
    assert module.propagate.__module__.startswith(f"{kind.__module__}_{kind.__name__}")
