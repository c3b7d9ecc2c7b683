"""The bank of training patients: at even distances, whatever the batches; and distances against loops."""

from __future__ import annotations

import pytest
import torch

from gdsfd.graph.grid_layout import GridLayout
from gdsfd.nn.fusion.bank import near_distance, patient_bank, squared_distances


@pytest.mark.parametrize("size", [1, 7, 10, 100])
@pytest.mark.parametrize(("most", "stride"), [(100, 1), (99, 2), (50, 2), (13, 8)])
def test_patients_stand_at_even_distances_in_the_pass(size: int, most: int, stride: int) -> None:
    tokens, there = torch.randn(100, 3, 4), (torch.rand(100, 3) < 0.6).float()

    def batches():
        for some in torch.arange(100).split(size):
            yield tokens[some].transpose(0, 1), GridLayout(there[some].t())

    found, has = patient_bank(batches, most, torch.zeros(0, 3, 4))
    assert torch.equal(found, (tokens * there.unsqueeze(2))[::stride])
    assert torch.equal(has, there[::stride])


def test_distances_are_those_of_pairs() -> None:
    first, second = torch.randn(3, 4), torch.randn(5, 4)
    expected = torch.stack([torch.stack([(a - b).square().sum() for b in second]) for a in first])
    torch.testing.assert_close(squared_distances(first, second), expected)
    assert (squared_distances(first, first).diagonal() >= 0).all()


def test_the_near_distance_is_a_quantile_over_pairs_who_have_it() -> None:
    there = torch.tensor([[1.0, 1, 0, 1], [1, 0, 0, 1], [1, 0, 0, 1], [0, 1, 1, 1]])
    tokens = torch.randn(4, 4, 3) * there.unsqueeze(2)
    tokens[:, 3] = 2.0  # all the same
    found = near_distance(tokens, there, torch.full((4,), 7.0), share=0.4)
    for k in (0, 1):
        has = there[:, k].nonzero().flatten().tolist()
        pairs = [(tokens[i, k] - tokens[j, k]).square().sum() for i in has for j in has if i < j]
        torch.testing.assert_close(found[k], torch.stack(pairs).quantile(0.4))
    assert found[2:].tolist() == [7.0, 7.0]
