from __future__ import annotations

import numpy as np
import pytest

from gdsfd.simulation.missingness import MECHANISMS, driver_of, presence_intercept, presence_probability


@pytest.mark.parametrize("slope", [-2.0, 0.0, 5.0])
@pytest.mark.parametrize("rate", [0.05, 0.5, 0.95])
def test_intercept_gives_the_rate(slope: float, rate: float) -> None:
    driver = np.random.default_rng(0).standard_normal(1000)
    intercept = presence_intercept(driver, slope, rate)
    assert presence_probability(driver, slope, intercept).mean() == pytest.approx(1 - rate, abs=1e-9)


def test_rate_zero_is_always_present() -> None:
    assert (presence_probability(np.array([-9.0, 9.0]), 5.0, presence_intercept(np.zeros(2), 5.0, 0.0)) == 1.0).all()


def test_drivers_are_summed() -> None:
    names = ("confounder", "outcome", "age", "severity")
    drivers = {name: np.array([10.0**power]) for power, name in enumerate(names)}
    expected = {"mcar": 0, "mar": 100, "mnar": 1, "mnar_outcome": 10, "mnar_severity": 1000, "collider": 1001}
    assert {name: int(driver_of(name, drivers)[0]) for name in MECHANISMS} == expected
