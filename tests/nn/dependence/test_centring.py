"""U-centring against loops; unbiased at every number of rows."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gdsfd.nn.dependence.centring import u_centred, u_correlation, u_covariance


def table(n: int, seed: int) -> torch.Tensor:
    values = torch.randn(n, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return torch.cdist(values, values)


def test_centring_by_loops():
    pairs = table(6, 0)
    n, a = 6, pairs.numpy()
    expected = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            if i != j:
                expected[i, j] = a[i, j] - a[i].sum() / 4 - a[:, j].sum() / 4 + a.sum() / 20
    np.testing.assert_allclose(u_centred(pairs), expected, atol=1e-12)
    np.testing.assert_allclose(u_centred(pairs).sum(1), 0, atol=1e-12)


def test_the_diagonal_is_not_read():
    pairs = table(5, 0)
    torch.testing.assert_close(u_centred(pairs + 7 * torch.eye(5)), u_centred(pairs))


def test_the_covariance_is_the_unbiased_hsic():
    """Equation 5 of Song et al. with its three traces."""
    k, l, n = table(8, 0), table(8, 1), 8
    ones = torch.ones(n, dtype=torch.float64)
    third = 2 / (n - 2) * (ones @ k @ l @ ones)
    traces = torch.trace(k @ l) + (k.sum() * l.sum()) / ((n - 1) * (n - 2)) - third
    torch.testing.assert_close(u_covariance(u_centred(k), u_centred(l)), traces / (n * (n - 3)))


@pytest.mark.parametrize("n", [4, 6])
def test_no_bias_at_few_rows(n):
    draws = [u_covariance(u_centred(table(n, 2 * s)), u_centred(table(n, 2 * s + 1))).item() for s in range(3000)]
    assert np.mean(draws) == pytest.approx(0, abs=4 * np.std(draws) / 3000**0.5)


def test_correlation_is_one_with_itself_and_knows_the_sign():
    pairs = table(9, 0)
    assert u_correlation(pairs, 5 * pairs + 1).item() == pytest.approx(1)
    assert u_correlation(pairs, -pairs).item() == pytest.approx(-1)
    assert u_correlation(pairs, torch.ones_like(pairs)).item() == 0
