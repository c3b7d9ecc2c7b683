"""Labels of intervals against a slow rule, patient by patient."""

from __future__ import annotations

import math

import numpy as np
import pytest

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
        elif time > high or (not event and time == high):
            labels.append(0.0)
        else:
            labels.append(math.nan)
    return labels


def test_the_rule_on_a_grid_of_times() -> None:
    times = [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 6.9, 7.0, 10.0, 11.0, math.nan]
    found = hazard_labels(FIELDS, np.array(times), np.ones(len(times)))
    np.testing.assert_array_equal(found, [slowly(time, 1.0) for time in times])
    found = hazard_labels(FIELDS, np.array(times), np.zeros(len(times)))
    for time, own in zip(times, found):
        inside = [low < time < high for low, high in FIELDS.intervals]
        np.testing.assert_array_equal(own[~np.array(inside)], np.array(slowly(time, 0.0))[~np.array(inside)])
        assert all(np.isnan(label) or label == 0 for label in own)


def test_who_is_censored_inside_an_interval_counts_by_the_share_that_was_followed() -> None:
    random = np.random.default_rng(0)
    for share in (0.1, 0.5, 0.9):
        times = 4 + 6 * np.clip(share + random.uniform(-0.05, 0.05, 20_000), 0, 1)
        labels = hazard_labels(FIELDS, times, np.zeros(20_000))[:, 2]
        assert np.isfinite(labels).mean() == pytest.approx(share, abs=0.02)
    again = hazard_labels(FIELDS, times[::-1].copy(), np.zeros(20_000))[::-1, 2]
    np.testing.assert_array_equal(again, labels)  # the same times, the same labels, whoever else is there


def test_censoring_that_depends_on_the_patient_does_not_move_the_hazard() -> None:
    random = np.random.default_rng(0)
    time = random.exponential(12, 40_000)
    end = np.where(np.arange(40_000) % 2, random.uniform(4, 6, 40_000), 100.0)  # half are followed for 4 to 6 days
    labels = hazard_labels(FIELDS, np.minimum(time, end), (time <= end).astype(float))[:, 2]
    short = np.arange(40_000) % 2 == 1
    true = 1 - np.exp(-6 / 12)
    assert np.nanmean(labels[~short]) == pytest.approx(true, abs=0.01)
    # An event counts as a whole interval of being at risk, so where follow-up is short the hazard is a little low: .33
    # in place of .39. Counting those who reached the middle it would be 1.
    followed = np.linspace(0, 2, 2001)
    events, rest = (1 - np.exp(-followed / 12)).mean(), (np.exp(-followed / 12) * followed / 6).mean()
    assert np.nanmean(labels[short]) == pytest.approx(events / (events + rest), abs=0.015)
    assert 0.3 < events / (events + rest) < true


def test_the_likelihood_is_that_of_the_time() -> None:
    hazard = np.array([0.1, 0.3, 0.2])
    labels = hazard_labels(FIELDS, np.array([3.0, 20.0, 4.0]), np.array([1.0, 0.0, 0.0]))
    likelihood = np.prod(np.where(np.isnan(labels), 1, np.where(labels == 1, hazard, 1 - hazard)), axis=1)
    np.testing.assert_allclose(likelihood, [0.9 * 0.3, 0.9 * 0.7 * 0.8, 0.9 * 0.7])


def test_intervals_as_outcomes() -> None:
    found = interval_fields(FIELDS)
    assert [one.name for one in found] == ["death: 0 to 2 days", "death: 2 to 4 days", "death: 4 to 10 days"]
    assert {(one.column, one.classes, one.multiclass) for one in found} == {("died", ("no event", "event"), False)}
