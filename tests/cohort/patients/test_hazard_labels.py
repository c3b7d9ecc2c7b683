"""Labels of intervals against a slow rule, patient by patient."""

from __future__ import annotations

import math

import numpy as np

from gdsfd.cohort.patients.hazard_labels import hazard_labels, interval_fields
from gdsfd.cohort.schema import SurvivalFields

FIELDS = SurvivalFields("death", "days", "died", (2.0, 4.0, 10.0), "days")


def slowly(time: float, event: float) -> list[float]:
    labels = []
    for low, high in ((0.0, 2.0), (2.0, 4.0), (4.0, 10.0)):
        if math.isnan(time):
            labels.append(math.nan)
        elif event and (low < time <= high or (low == 0 == time)):
            labels.append(1.0)
        elif time > high or (not event and time >= (low + high) / 2):
            labels.append(0.0)
        else:
            labels.append(math.nan)
    return labels


def test_the_rule_on_a_grid_of_times() -> None:
    times = [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 6.9, 7.0, 10.0, 11.0, math.nan]
    for event in (0.0, 1.0):
        found = hazard_labels(FIELDS, np.array(times), np.full(len(times), event))
        np.testing.assert_array_equal(found, [slowly(time, event) for time in times])


def test_the_likelihood_is_that_of_the_time() -> None:
    hazard = np.array([0.1, 0.3, 0.2])
    labels = hazard_labels(FIELDS, np.array([3.0, 20.0, 4.5]), np.array([1.0, 0.0, 0.0]))
    likelihood = np.prod(np.where(np.isnan(labels), 1, np.where(labels == 1, hazard, 1 - hazard)), axis=1)
    np.testing.assert_allclose(likelihood, [0.9 * 0.3, 0.9 * 0.7 * 0.8, 0.9 * 0.7])


def test_intervals_as_outcomes() -> None:
    found = interval_fields(FIELDS)
    assert [one.name for one in found] == ["death: 0 to 2 days", "death: 2 to 4 days", "death: 4 to 10 days"]
    assert {(one.column, one.classes, one.multiclass) for one in found} == {("died", ("no event", "event"), False)}
