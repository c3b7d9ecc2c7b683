"""Proper subsets: each size alike, each set of a size alike, never all and never none."""

from __future__ import annotations

from collections import Counter

import torch

from gdsfd.nn.fusion.subsets import proper_subset


def test_sizes_are_uniform_and_sets_within_a_size_too() -> None:
    draws = 30_000
    there = torch.tensor([[1.0, 0.0, 1.0, 1.0]]).expand(draws, 4)
    torch.manual_seed(0)
    counts = Counter(tuple(row) for row in proper_subset(there).int().tolist())
    assert len(counts) == 6
    for kept, count in counts.items():
        assert kept[1] == 0
        assert sum(kept) in (1, 2)
        error = (1 / 6 * 5 / 6 / draws) ** 0.5
        assert abs(count / draws - 1 / 6) < 4 * error


def test_who_has_one_or_none_keeps_them() -> None:
    there = torch.tensor([[0.0, 1.0], [0.0, 0.0]])
    for _ in range(5):
        assert torch.equal(proper_subset(there), there)
