"""Frequent patterns by counting, and the nearest one by its definition."""

from __future__ import annotations

from itertools import product

import pytest
import torch

from gdsfd.nn.fusion.patterns import frequent_patterns, nearest_pattern, presence_of
from tests.nn.backbones.learner_case import layout_of, presences


def test_patterns_are_counted_and_the_rare_left_out() -> None:
    presence = torch.tensor([[1, 0, 1]] * 3 + [[0, 0, 0]] * 2 + [[1, 1, 1]] * 4 + [[0, 1, 0]]).bool()
    found = frequent_patterns(presence, 5, least=2)
    assert found.tolist() == [[1, 1, 1], [1, 0, 1], [0, 0, 0], [-1, -1, -1], [-1, -1, -1]]
    assert frequent_patterns(presence, 2).tolist() == [[1, 1, 1], [1, 0, 1]]
    assert frequent_patterns(presence, 3, least=99).tolist() == [[1, 1, 1], [-1, -1, -1], [-1, -1, -1]]
    assert (frequent_patterns(presence[:0], 3) == -1).all()


@pytest.mark.parametrize("patterns", [[(1, 1, 0), (1, 0, 0), (0, 0, 1)], [(1, 1, 1), (0, 0, 0)], []])
def test_the_nearest_is_itself_else_the_largest_subset_else_what_has_least_beyond(patterns: list[tuple]) -> None:
    there = torch.tensor(list(product([0.0, 1.0], repeat=3)))
    stored = torch.full((4, 3), -1.0)
    if patterns:
        stored[: len(patterns)] = torch.tensor(patterns, dtype=torch.float)
    found = nearest_pattern(there, stored)
    for mine, row in zip(there.tolist(), found.tolist()):
        inside = [each for each in patterns if all(a <= b for a, b in zip(each, mine))]
        if inside:
            expected = [max(inside, key=sum)]
        else:
            beyond = {each: sum(a > b for a, b in zip(each, mine)) for each in patterns}
            least = [each for each in patterns if beyond[each] == min(beyond.values())]
            shared = {each: sum(a and b for a, b in zip(each, mine)) for each in least}
            expected = [each for each in least if shared[each] == max(shared.values())][:1]
        assert [patterns[place] for place, one in enumerate(row) if one] == expected


def test_presence_is_that_of_the_batches() -> None:
    presence = presences()
    batches = [(None, layout_of(presence[:5])), (None, layout_of(presence[5:]))]
    assert torch.equal(presence_of(lambda: batches), presence)
