"""Statistics of training values: right, and telling nobody's value."""

from __future__ import annotations

import numpy as np
import pytest

from gdsfd.cohort.columns.scales import FEWEST_PATIENTS, numeric_scale, numeric_scales
from gdsfd.cohort.schema import QUANTILE_LEVELS


def slow(values: list[float], patients: list[int]) -> list[float]:
    """The quantiles, one by one: from below the first value that five patients lie at or below, likewise from above."""
    ordered = sorted(values)
    low = next(v for v in ordered if len({p for w, p in zip(values, patients) if w <= v}) >= FEWEST_PATIENTS)
    high = next(v for v in ordered[::-1] if len({p for w, p in zip(values, patients) if w >= v}) >= FEWEST_PATIENTS)
    return [min(max(float(np.quantile(values, level)), low), high) for level in QUANTILE_LEVELS]


@pytest.mark.parametrize("seed", range(20))
def test_quantiles_equal_the_slow_ones_and_hold_five_patients(seed: int) -> None:
    random = np.random.default_rng(seed)
    size = int(random.integers(9, 400))
    values = random.normal(0, 5, size).round(int(random.integers(0, 3)))  # with ties
    patients = random.integers(0, size, size) if seed % 2 else np.arange(size)
    if len(set(patients.tolist())) < 9:
        patients = np.arange(size)
    scale = numeric_scale(values, patients if seed % 2 else None)
    assert scale.quantiles == pytest.approx(slow(values.tolist(), patients.tolist()))
    assert (scale.count, scale.mean, scale.std) == (size, pytest.approx(values.mean()), pytest.approx(values.std()))
    for level in (scale.quantiles[0], scale.quantiles[-1]):
        assert len(set(patients[values <= level].tolist())) >= FEWEST_PATIENTS
        assert len(set(patients[values >= level].tolist())) >= FEWEST_PATIENTS


def test_one_patient_s_many_values_are_one_patient_s() -> None:
    values = np.concatenate([np.arange(50.0), np.full(30, 9e9)])
    scale = numeric_scale(values, np.concatenate([np.arange(50), np.full(30, 50)]))
    assert scale.quantiles[-1] == 46.0  # the fifth patient from above
    assert max(scale.quantiles) < 50


@pytest.mark.parametrize("count", [1, 2, 4, 5, 8, 9])
def test_of_few_patients_no_value_is_stored(count: int) -> None:
    values = 491_512_345_678.0 + np.arange(count) * 1_111.0
    scale = numeric_scale(values)
    stored = {scale.mean, *scale.quantiles}
    if count < 9:
        assert len(set(scale.quantiles)) == 1
    if count < 5:
        assert stored == {5e11}
        assert not stored & set(values.tolist())
    assert scale.count == count


def test_nothing_measured_and_columns_side_by_side() -> None:
    empty = numeric_scale(np.full(3, np.nan))
    assert (empty.count, empty.mean, set(empty.quantiles)) == (0, 0.0, {0.0})
    matrix = np.random.default_rng(0).normal(size=(40, 3))
    matrix[::7, 1] = np.nan
    assert numeric_scales(matrix) == tuple(numeric_scale(matrix[:, k]) for k in range(3))
