"""Pairing of strata across fits, and of empty strata with patients."""

from __future__ import annotations

from itertools import permutations

import torch

from gdsfd.nn.adjustment.matching import matched_order


def test_a_shuffled_and_jittered_copy_gets_its_old_numbers_back() -> None:
    generator = torch.Generator().manual_seed(0)
    old, group = torch.randn(24, 6, generator=generator), torch.arange(24) // 6
    order = torch.randperm(24, generator=generator)
    new = (old + 0.05 * torch.randn(24, 6, generator=generator))[order]
    assert order[matched_order(new, group[order], old, group)].equal(torch.arange(24))


def test_pairs_have_the_least_sum_of_squared_distances() -> None:
    generator = torch.Generator().manual_seed(1)
    old, new = torch.randn(5, 2, generator=generator), torch.randn(5, 2, generator=generator)
    group = torch.zeros(5, dtype=torch.long)
    order = matched_order(new, group, old, group)
    best = min(float((new[list(way)] - old).square().sum()) for way in permutations(range(5)))
    assert abs(float((new[order] - old).square().sum()) - best) < 1e-5


def test_pairs_never_cross_groups_however_near() -> None:
    old, old_group = torch.tensor([[0.0], [100.0]]), torch.tensor([0, 1])
    new, new_group = torch.tensor([[0.0], [100.0]]), torch.tensor([1, 0])
    assert matched_order(new, new_group, old, old_group).tolist() == [1, 0]


def test_more_or_fewer_centres_than_before() -> None:
    old, old_group = torch.tensor([[0.0], [5.0], [0.0]]), torch.tensor([0, 0, 1])
    more = torch.tensor([[9.0], [5.1], [0.1], [0.2]])
    order = matched_order(more, torch.tensor([0, 0, 0, 1]), old, old_group)
    assert order.tolist() == [2, 1, 3, 0]  # the one that is new follows
    fewer = torch.tensor([[5.1], [0.3]])
    assert matched_order(fewer, torch.tensor([0, 1]), old, old_group).tolist() == [0, 1]
    elsewhere = torch.tensor([[5.1], [0.3], [7.0]])
    order = matched_order(elsewhere, torch.tensor([0, 1, 4]), old, old_group)
    assert order.tolist() == [2, 0, 1]  # a new group takes the number that fell free, the others keep theirs
    nothing = matched_order(elsewhere, torch.tensor([0, 1, 4]), old[:0], old_group[:0])
    assert nothing.tolist() == [0, 1, 2]
