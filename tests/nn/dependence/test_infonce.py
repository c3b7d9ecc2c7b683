"""InfoNCE from a table of scores, against its formula, and its ceiling."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from tests.nn.dependence.gaussian_codes import build


def test_infonce_by_hand(scores):
    table, own = scores.double().numpy(), scores.double().diagonal().numpy()
    rows = np.mean(own - np.log(np.exp(table).mean(1)))
    columns = np.mean(own - np.log(np.exp(table).mean(0)))
    assert build("infonce", 1, 1).from_scores(scores).item() == pytest.approx((rows + columns) / 2)


def test_never_more_than_the_log_of_the_rows():
    assert build("infonce", 1, 1).from_scores(50 * torch.eye(6)).item() == pytest.approx(math.log(6))
