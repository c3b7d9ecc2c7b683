"""Times and events from text, and what is refused of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gdsfd.cohort.patients.follow_up import FollowUp, read_follow_up
from gdsfd.cohort.spec import SurvivalSpec
from gdsfd.errors import InputError


def read(times: list[str | None], events: list[str | None], **fields: Any) -> FollowUp:
    outcome = SurvivalSpec(name="death", time="days", event="died", **fields)
    ids = [f"p{number}" for number in range(len(times))]
    return read_follow_up(outcome, {"days": times, "died": events}, ids, "stays.csv")


def test_times_and_events() -> None:
    found = read(["3", "2.5", None, "1e1"], ["1", "0.0", None, "1"])
    np.testing.assert_array_equal(found.time, [3, 2.5, np.nan, 10])
    np.testing.assert_array_equal(found.event, [1, 0, np.nan, 1])
    assert found.notes == ["outcome 'death': 1 patients have no time and event and are unlabelled"]
    assert found.findings == []
    assert [(row["value"], row["patients"]) for row in found.values] == [("1", 2), ("0.0", 1), (None, 1)]


def test_events_in_words_and_values_that_mean_nothing_is_known() -> None:
    found = read(["3", "2", "4"], ["dead", "alive", "lost"], positive="dead", negative="alive", missing="lost")
    np.testing.assert_array_equal(found.event, [1, 0, np.nan])
    np.testing.assert_array_equal(found.time, [3, 2, np.nan])
    assert found.notes == []
    (finding,) = found.findings
    assert finding.text.startswith("1 patients have a time, but an event that 'missing' says is not known")
    assert (
        read(["3", "2", None], ["dead", "alive", "lost"], positive="dead", negative="alive", missing="lost").findings
        == []
    )


def test_declared_values_of_the_event_that_nobody_has_are_told() -> None:
    found = read(["3", "2"], ["1", "0"], positive=[1, 3], negative=0, missing=[9, ""])
    assert [finding.text for finding in found.findings] == [
        "positive lists 3, which no patient has.",
        "missing lists 9, which no patient has.",
    ]
    outcome = SurvivalSpec(name="death", time="days", event="died", missing=9)
    cells: dict[str, list[str | None]] = {"days": ["3", "2"], "died": ["1", "0"]}
    assert read_follow_up(outcome, cells, ["a", "b"], new=True).findings == []


def test_a_competing_event_that_is_censored_is_told() -> None:
    """Of several values without the event one may make it impossible; spellings of one value are one."""
    (finding,) = read(["3", "2", "4", "5"], ["1", "2", "0", "0.0"], positive=1, negative=[0, 2]).findings
    assert finding.text.startswith("several values of 'died' count as censored (patients: 0 2, 2 1). If one of them")
    (finding,) = read(["3", "2", "4"], ["1", "0", "0.0"], positive=1, negative=[0, 2]).findings
    assert finding.text == "negative lists 2, which no patient has."
    words = {"positive": "dead", "negative": ["alive", "moved"]}
    assert len(read(["3", "2", "4"], ["dead", "alive", "moved"], **words).findings) == 1
    (finding,) = read(["3", "2", None], ["dead", "alive", None], **words).findings
    assert finding.text == "negative lists 'moved', which no patient has."


def test_a_code_for_a_time_that_is_not_known_is_questioned() -> None:
    (finding,) = read(["3", "999", "999", "999"], ["1", "0", "0", "0"]).findings
    assert finding.text.startswith("the longest time, 999, is that of 3 patients: is it a code for a time")
    for times in (
        ["3", "999", "999", "4"],
        ["3", "365", "365", "365"],
        ["1000", "999", "999", "999"],
        ["9", "9", "9", "9"],
    ):
        assert read(times, ["1", "0", "0", "0"]).findings == []


def test_some_of_the_patients() -> None:
    found = read(["3", "2", "4"], ["1", "0", "1"]).take(np.array([2, 0]))
    np.testing.assert_array_equal(found.time, [4, 3])
    np.testing.assert_array_equal(found.event, [1, 1])


def test_a_time_of_zero_is_told() -> None:
    found = read(["0", "0", "4"], ["1", "0", "1"])
    assert "2 patients have a time of 0, 1 of them with the event" in found.findings[0].text


@pytest.mark.parametrize(
    ("times", "events", "words"),
    [
        (["3", "-2"], ["1", "0"], r"1 times are negative: '-2', ids 'p1'"),
        (["3", "soon"], ["1", "0"], r"1 times are no finite number: 'soon', ids 'p1'"),
        (["3", "inf"], ["1", "0"], r"1 times are no finite number: 'inf'"),
        (["3", None], ["1", "0"], r"1 patients have no time but an event \('died'\), ids 'p1'"),
        (["3", "4"], ["1", None], r"1 patients have a time but no event \('died'\), ids 'p1'"),
        (["3", "4"], ["1", "2"], r"holds '2' \(1 patients\), e.g. id 'p1'; expected 1 where the event happened and 0"),
        (["3", "4"], ["1", "yes"], r"holds 'yes'"),
    ],
)
def test_what_is_refused(times: list[str | None], events: list[str | None], words: str) -> None:
    with pytest.raises(InputError, match=words):
        read(times, events)
