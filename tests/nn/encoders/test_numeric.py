"""The numeric transform: ranks against counting, ties, outliers, missing values."""

from __future__ import annotations

import numpy as np
import torch

from gdsfd.cohort.schema import QUANTILE_LEVELS, NumericScale
from gdsfd.nn.encoders.numeric import NumericTransform


def scale_of(values: np.ndarray) -> NumericScale:
    quantiles = tuple(float(value) for value in np.quantile(values, QUANTILE_LEVELS))
    return NumericScale(len(values), float(values.mean()), float(values.std()), quantiles)


def test_rank_is_the_distribution_function() -> None:
    values = np.random.default_rng(0).lognormal(0, 1, 5000)
    transform = NumericTransform([scale_of(values)])
    points = np.quantile(values, [0.02, 0.15, 0.5, 0.85, 0.97])
    _, rank, *_ = transform(torch.tensor(points, dtype=torch.float32).unsqueeze(1))
    expected = np.array([(values <= point).mean() for point in points])
    np.testing.assert_allclose((rank.squeeze(1).numpy() + 1) / 2, expected, atol=0.03)


def test_rank_of_a_tie_is_its_middle() -> None:
    values = np.array([0.0] * 600 + [1.0] * 400)
    transform = NumericTransform([scale_of(values)])
    _, rank, *_ = transform(torch.tensor([[0.0], [1.0]]))
    share = (rank.squeeze(1) + 1) / 2
    assert abs(share[0].item() - 0.3) < 0.05
    assert abs(share[1].item() - 0.8) < 0.06


def test_missing_is_zero_and_flagged_and_outliers_are_bounded() -> None:
    transform = NumericTransform([scale_of(np.arange(100.0))])
    z, rank, high, low, flag = transform(torch.tensor([[float("nan")], [1e9], [-1e9], [49.5]]))
    assert flag.squeeze(1).tolist() == [0.0, 1.0, 1.0, 1.0]
    assert z[0] == 0
    assert rank[0] == 0
    assert abs(z).max() <= 3
    assert rank[1] == 1
    assert rank[2] == -1
    assert abs(z[3]) < 1e-6
    assert high.squeeze(1).tolist() == [0.0, 2.5, 0.0, 0.0]
    assert low.squeeze(1).tolist() == [0.0, 0.0, 2.5, 0.0]


def test_missing_is_zero_also_where_the_median_is_a_tie() -> None:
    """In a column of 0 and 1 a missing cell is neither: every input of it is 0."""
    for values in (np.array([0.0] * 7 + [1.0] * 3), np.array([0.0] * 3 + [1.0] * 7), np.array([2.0] * 9 + [5.0])):
        transform = NumericTransform([scale_of(values)])
        inputs = transform(torch.tensor([[float("nan")], [float(values[0])]]))
        assert [float(each[0]) for each in inputs] == [0.0] * 5
        assert float(inputs[1][1]) != 0.0  # the rank of a measured value at the tie is not 0


def test_constant_and_never_observed_columns_give_finite_inputs() -> None:
    never = NumericScale(0, 0.0, 0.0, tuple(0.0 for _ in QUANTILE_LEVELS))
    transform = NumericTransform([scale_of(np.full(50, 7.0)), never])
    parts = transform(torch.tensor([[7.0, 3.0], [8.0, float("nan")]]))
    assert all(torch.isfinite(part).all() for part in parts)


def test_single_values_equal_the_column_form() -> None:
    rng = np.random.default_rng(1)
    transform = NumericTransform([scale_of(rng.normal(size=500)), scale_of(rng.exponential(size=500))])
    values = torch.randn(8, 2)
    z, rank, *_ = transform(values)
    column = torch.tensor([0, 1] * 8)
    torch.testing.assert_close(transform.squash(values.reshape(-1), column).view(8, 2), z)
    torch.testing.assert_close(transform.rank(values.reshape(-1), column).view(8, 2), rank)


def test_the_scale_is_the_standard_deviation_of_a_normal_column() -> None:
    values = np.random.default_rng(1).normal(10, 2, 100_000)
    transform = NumericTransform([scale_of(values)])
    np.testing.assert_allclose(transform.spread.numpy(), [2.0], rtol=0.02)
    z, *_ = transform(torch.tensor([[11.0]]))
    np.testing.assert_allclose(z.numpy(), [[3 * np.tanh(0.5 / 3)]], rtol=0.02)
