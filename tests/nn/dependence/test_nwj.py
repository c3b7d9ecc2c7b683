"""NWJ from a table of scores, against its formula and beside MINE."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.nn.dependence.gaussian_codes import build


def test_nwj_by_hand(scores):
    own, strangers = scores.diagonal().numpy(), scores[~torch.eye(6, dtype=torch.bool)].numpy()
    assert build("nwj", 1, 1).from_scores(scores).item() == pytest.approx(own.mean() - np.exp(strangers - 1).mean())


@pytest.mark.parametrize("shift", [-3.0, 5.0])
def test_nwj_is_at_most_mine_whatever_the_shift(scores, shift):
    mine, nwj = build("mine", 1, 1), build("nwj", 1, 1)
    assert mine.from_scores(scores + shift).item() == pytest.approx(mine.from_scores(scores).item(), abs=1e-5)
    assert nwj.from_scores(scores + shift) <= mine.from_scores(scores)
