"""A figure, its interval, its reason."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gdsfd.evaluation.metrics.estimate import Estimate, percentile_interval


def test_undefined_is_nan_with_a_reason():
    estimate = Estimate.undefined("no positive patient")
    assert not estimate.defined
    assert not estimate.has_interval
    assert math.isnan(estimate.to_dict()["value"])
    assert estimate.to_dict()["reason"] == "no positive patient"


def test_interval_is_the_percentiles_and_leaves_undefined_resamples_out():
    values = np.arange(1000.0)
    expected = np.quantile(values, [0.025, 0.975])
    assert percentile_interval(values) == pytest.approx(tuple(expected))
    assert percentile_interval(np.concatenate([values, np.full(900, np.nan)])) == pytest.approx(tuple(expected))
    assert np.isnan(percentile_interval(np.concatenate([values, np.full(1100, np.nan)]))).all()


@pytest.mark.parametrize("size", [0, 19])
def test_too_few_resamples_give_no_interval(size):
    assert np.isnan(percentile_interval(np.ones(size))).all()
