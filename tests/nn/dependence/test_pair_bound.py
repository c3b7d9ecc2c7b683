"""Bounds from a table of scores, against what they say in words."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gdsfd.nn.dependence.pair_bound import PairCritic
from tests.nn.dependence.gaussian_codes import build


@pytest.fixture
def scores() -> torch.Tensor:
    return torch.randn(6, 6, generator=torch.Generator().manual_seed(0))


def split(scores: torch.Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    table = scores.double().numpy()
    return table, np.diag(table), table[~np.eye(len(table), dtype=bool)]


def test_mine_by_hand(scores):
    _, own, strangers = split(scores)
    assert build("mine", 1, 1).from_scores(scores).item() == pytest.approx(
        own.mean() - np.log(np.exp(strangers).mean())
    )


def test_nwj_by_hand(scores):
    _, own, strangers = split(scores)
    assert build("nwj", 1, 1).from_scores(scores).item() == pytest.approx(own.mean() - np.exp(strangers - 1).mean())


def test_infonce_by_hand(scores):
    table, own, _ = split(scores)
    rows = np.mean(own - np.log(np.exp(table).mean(1)))
    columns = np.mean(own - np.log(np.exp(table).mean(0)))
    assert build("infonce", 1, 1).from_scores(scores).item() == pytest.approx((rows + columns) / 2)


@pytest.mark.parametrize("shift", [-3.0, 5.0])
def test_nwj_is_at_most_mine_whatever_the_shift(scores, shift):
    mine, nwj = build("mine", 1, 1), build("nwj", 1, 1)
    assert mine.from_scores(scores + shift).item() == pytest.approx(mine.from_scores(scores).item(), abs=1e-5)
    assert nwj.from_scores(scores + shift) <= mine.from_scores(scores)


def test_scores_are_of_pairs_and_limited():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        critic = PairCritic(3, 2, hidden=8, rank=4, limit=5.0)
        causal, biased = torch.randn(4, 3), torch.randn(6, 2)
    table = critic(causal, biased, None)
    assert table.shape == (4, 6)
    torch.testing.assert_close(table[1:2, 2:3], critic(causal[1:2], biased[2:3], None))
    assert critic(1e6 * causal, 1e6 * biased, None).abs().max() <= 5
