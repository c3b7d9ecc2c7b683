"""Where intervals end: at quantiles of the training events, or where the spec says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gdsfd.cohort.patients.follow_up import FollowUp
from gdsfd.cohort.patients.hazard_intervals import cut_intervals
from gdsfd.cohort.patients.hazard_labels import hazard_labels
from gdsfd.cohort.schema import SurvivalFields
from gdsfd.cohort.spec import SurvivalSpec
from gdsfd.errors import InputError
from tests.cohort.survival_exports import survival_frames


def cut(time: Any, event: Any, train: Any = None, **fields: Any) -> SurvivalFields:
    follow_up = FollowUp(np.asarray(time, np.float64), np.asarray(event, np.float32))
    among = np.ones(len(follow_up.time), bool) if train is None else np.asarray(train)
    return cut_intervals(SurvivalSpec(name="death", time="t", event="e", **fields), follow_up, among, "stays.csv")


def test_as_many_events_in_each() -> None:
    time = np.arange(1, 1001) / 10
    found = cut(time, np.ones(1000), intervals=4)
    assert found.cuts == (23.8, 47.5, 71.3, 95.0)  # 5 % outlive the horizon
    events = np.histogram(time, [0, *found.cuts])[0]
    assert events.max() - events.min() <= 2


def test_only_training_patients_count() -> None:
    time = np.concatenate([np.arange(1, 101), np.full(100, 1000.0)])
    train = np.arange(200) < 100
    assert cut(time, np.ones(200), train) == cut(time[:100], np.ones(100))


def test_times_that_repeat_give_fewer_intervals() -> None:
    time = np.repeat([1.0, 2.0, 3.0], 100)
    assert cut(time, np.ones(300)).cuts == (1.0, 2.0)


def test_a_horizon_and_cut_points_of_ones_own() -> None:
    time = np.arange(1, 101).astype(float)
    assert cut(time, np.ones(100), intervals=2, horizon=60).cuts == (30.0, 60.0)
    assert cut(time, np.ones(100), cut_points=[10, 50, 90]).cuts == (10.0, 50.0, 90.0)


@pytest.mark.parametrize("censoring", [0.0, 0.3, 0.6])
def test_censoring_does_not_shift_the_curve_of_everybody(censoring: float) -> None:
    cohort, _, _ = survival_frames(200_000, seed=1, censoring=censoring)
    time, event = cohort["days"].to_numpy(), cohort["died"].to_numpy().astype(np.float32)
    fields = cut(time, event, horizon=100, intervals=8)
    found = np.cumprod(1 - np.nanmean(hazard_labels(fields, time, event), axis=0))
    rate = np.exp(cohort["log_hazard"].to_numpy())
    true = np.array([np.exp(-rate * end).mean() for end in fields.cuts])
    assert (event == 0).mean() == pytest.approx(censoring, abs=0.02)
    np.testing.assert_allclose(found, true, atol=0.01)


@pytest.mark.parametrize(
    ("time", "event", "fields", "words"),
    [
        (np.arange(100), np.zeros(100), {}, "none of 100 training patients has the event"),
        (np.arange(100), np.ones(100), {"horizon": 200}, "the horizon is 200, but no training patient is followed"),
        (np.arange(100), np.ones(100), {"cut_points": [5, 200]}, "the horizon is 200"),
        (np.arange(8), np.ones(8), {}, "no event of a training patient is outlived by 10"),
        (np.full(100, 7.0), np.arange(100) % 2, {"horizon": 7}, "fall on too few different times"),
        (np.arange(20, 120), np.ones(100), {"cut_points": [10, 50]}, "none have the event in it, the interval 0 to 10"),
        (np.arange(100), np.ones(100), {"cut_points": [50, 99]}, "none are known to outlive it, the interval 50 to 99"),
    ],
)
def test_what_cannot_be_learned_is_refused(time: Any, event: Any, fields: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        cut(time, event, **fields)
