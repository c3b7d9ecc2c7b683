"""DeLong's error by the textbook's double loop, by subject; Newcombe's limits by their equation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gdsfd.evaluation.intervals.auroc import auroc_interval, delong_error, newcombe_interval
from tests.evaluation.scores import made


def slow_delong(y, p, cluster):
    ups, downs = np.flatnonzero(y == 1), np.flatnonzero(y == 0)
    wins = np.array([[float(p[i] > p[j]) + 0.5 * (p[i] == p[j]) for j in downs] for i in ups])
    area, parts = wins.mean(), {}
    for row, i in enumerate(ups):
        parts[cluster[i]] = parts.get(cluster[i], 0) + (wins[row].mean() - area) / len(ups)
    for column, j in enumerate(downs):
        parts[cluster[j]] = parts.get(cluster[j], 0) + (wins[:, column].mean() - area) / len(downs)
    size = len(parts)
    return area, math.sqrt(sum(part**2 for part in parts.values()) * size / (size - 1))


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("per_subject", [1, 3])
def test_delong_equals_the_double_loop(ties, per_subject):
    y, p = made(60, ties=ties)
    cluster = np.arange(60) // per_subject
    assert delong_error(y, p, cluster) == pytest.approx(slow_delong(y, p, cluster))


@pytest.mark.parametrize(("area", "m", "n"), [(0.8, 5, 20), (0.6, 12, 7), (1.0, 5, 300), (0.0, 6, 6)])
def test_newcombe_limits_solve_their_equation(area, m, n):
    low, high = newcombe_interval(area, m, n)
    for theta in (low, high):
        if theta not in (0.0, 1.0):
            spread = 1 + ((m + n) / 2 - 1) * ((1 - theta) / (2 - theta) + theta / (1 + theta))
            assert abs(area - theta) == pytest.approx(1.959964 * math.sqrt(theta * (1 - theta) * spread / (m * n)))
    assert low <= area <= high
    assert high - low > 0.1


def test_the_wider_end_of_the_two_is_taken():
    y, p = made(40)
    area, _ = delong_error(y, p, np.arange(40))
    low, high = auroc_interval(y, p, np.arange(40))
    inner = newcombe_interval(area, y.sum(), (1 - y).sum())
    assert low <= inner[0] < inner[1] <= high
