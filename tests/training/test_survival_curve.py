"""Survival from hazards, at cut points and between, and risks."""

from __future__ import annotations

import numpy as np
import pytest

from gdsfd.cohort.schema import SurvivalFields
from gdsfd.errors import InputError
from gdsfd.training.survival_curve import check_times, risk_of, survival_at

FIELDS = SurvivalFields("death", "days", "died", (2.0, 4.0, 10.0), "days")
HAZARDS = np.random.default_rng(0).random((20, 3)) * 0.8


def test_at_the_cut_points_it_is_the_product() -> None:
    found = survival_at(FIELDS, HAZARDS, None)
    np.testing.assert_allclose(found, np.cumprod(1 - HAZARDS, axis=1), rtol=1e-12)


def test_between_them_the_hazard_per_unit_of_time_is_constant() -> None:
    times = [0.0, 1.0, 2.0, 3.0, 5.5, 10.0]
    rate = -np.log(1 - HAZARDS) / np.array([2.0, 2.0, 6.0])
    exact = np.stack(
        [0 * rate[:, 0], rate[:, 0], 2 * rate[:, 0], 2 * rate[:, 0] + rate[:, 1],
         2 * rate[:, 0] + 2 * rate[:, 1] + 1.5 * rate[:, 2], rate @ np.array([2.0, 2.0, 6.0])], axis=1,
    )  # fmt: skip
    np.testing.assert_allclose(survival_at(FIELDS, HAZARDS, times), np.exp(-exact), rtol=1e-12)


def test_risk_is_higher_the_earlier_the_event() -> None:
    early, late = np.array([[0.5, 0.1, 0.1]]), np.array([[0.1, 0.1, 0.5]])
    assert risk_of(early)[0] > risk_of(late)[0]
    np.testing.assert_allclose(risk_of(HAZARDS), -np.log(survival_at(FIELDS, HAZARDS, None)).mean(1), rtol=1e-12)
    assert np.isfinite(risk_of(np.ones((1, 3)))).all()


@pytest.mark.parametrize(
    ("times", "words"),
    [
        ([5.0, 11.0], "times from 0 to the horizon 10 days, beyond which the model says nothing, got 11.0"),
        ([-1.0], "got -1.0"),
        ([float("nan")], "got nan"),
        ([[1.0]], "an array of 2 dimensions"),
        (["soon"], "expected numbers"),
    ],
)
def test_times_that_cannot_be_asked_for(times: list, words: str) -> None:
    with pytest.raises(InputError, match=words):
        check_times(FIELDS, times)
