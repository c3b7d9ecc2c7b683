"""Tokens of cells: the formula cell by cell, and statistics taken over from the features."""

from __future__ import annotations

import torch

from gdsfd.nn.encoders.cells import CellPlan
from gdsfd.nn.encoders.feature_token import FeatureToken
from gdsfd.nn.encoders.value_token import LEAST_INDICATOR_SPREAD, ValueToken

# Two nodes of two values; the second value of each is the flag.
PLAN = CellPlan(torch.tensor([[0, 2], [1, 3]]), torch.tensor([4]), flag=1)


def fitted() -> ValueToken:
    features = FeatureToken(5, 3)
    features.center.copy_(torch.tensor([1.0, 2.0, 0.4, 0.6, 9.0]))
    features.spread.copy_(torch.tensor([2.0, 4.0, 0.05, 0.5, 9.0]))
    features.relevance.copy_(torch.tensor([0.5, 0.1, 0.2, 0.7, 9.0]))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        token = ValueToken(PLAN, 3)
        torch.nn.init.normal_(token.offset)
    token.fit(features)
    return token


def test_statistics_are_those_of_the_features_and_flags_are_not_centred() -> None:
    token = fitted()
    torch.testing.assert_close(token.center, torch.tensor([[1.0, 0.0], [2.0, 0.0]]))
    torch.testing.assert_close(token.spread, torch.tensor([[2.0, LEAST_INDICATOR_SPREAD], [4.0, 0.5]]))
    torch.testing.assert_close(token.relevance, torch.tensor([[0.5, 0.2], [0.1, 0.7]]))


def test_it_is_the_formula_cell_by_cell() -> None:
    token = fitted()
    value = torch.tensor([[3.0, 1.0], [2.0, 1.0], [1e6, 1.0]])  # the last is cut at five standard deviations
    node = torch.tensor([0, 1, 0])
    found, first = token(value, node)
    for cell in range(3):
        own = int(node[cell])
        scaled = ((value[cell] - token.center[own]) / token.spread[own]).clip(-5, 5)
        common = token.linear.weight @ (scaled * token.relevance[own])
        expected = common * token.gain[own] + token.relevance[own].max() * token.offset[own]
        torch.testing.assert_close(found[cell], expected)
    assert first.tolist() == [1.0, 0.0, 5.0]
