"""Points of curves are counts at thresholds, and thinning keeps their ends."""

from __future__ import annotations

import numpy as np
import pytest

from gdsfd.evaluation.metrics.curves import curves_of
from tests.evaluation.scores import made, target


def test_every_point_is_a_count_at_some_threshold():
    y, p = made(60, ties=True)
    curves = curves_of(target(y, p))
    flagged = [p >= threshold for threshold in [*np.unique(p), np.inf]]
    roc = {(round(float(flags[y == 0].mean()), 5), round(float(flags[y == 1].mean()), 5)) for flags in flagged}
    pr = {(round(float(flags[y == 1].mean()), 5), round(float(y[flags].mean()), 5)) for flags in flagged if flags.any()}
    assert set(curves["roc"]) <= roc
    assert set(curves["pr"]) <= pr
    assert (curves["roc"][0], curves["roc"][-1]) == ((0.0, 0.0), (1.0, 1.0))
    assert (1.0, round(float(y.mean()), 5)) in curves["pr"]
    assert curves["pr"][0][0] <= curves["pr"][-1][0]


def test_the_calibration_curve_is_that_of_its_bins():
    y, p = made(40)
    curves = curves_of(target(y, p), bins=4)
    order = np.argsort(p)
    parts = np.split(order, 4)
    expected = [(p[part].mean(), y[part].mean()) for part in parts]
    np.testing.assert_allclose(curves["calibration"], expected, atol=1e-5)
    assert curves["count"] == [10] * 4


def test_long_curves_are_thinned_and_keep_their_ends():
    y, p = made(3000)
    whole, some = curves_of(target(y, p), most=10**6), curves_of(target(y, p), most=50)
    for name in ("roc", "pr"):
        assert len(some[name]) == 50 < len(whole[name])
        assert set(some[name]) <= set(whole[name])
        assert (some[name][0], some[name][-1]) == (whole[name][0], whole[name][-1])


@pytest.mark.parametrize("y", [[], [1.0, 1.0], [0.0]])
def test_one_class_has_a_calibration_curve_only(y):
    curves = curves_of(target(y, np.linspace(0.1, 0.9, len(y))))
    assert curves["roc"] == curves["pr"] == []
    assert sum(curves["count"]) == len(y)
