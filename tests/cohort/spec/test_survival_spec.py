"""The words of a survival outcome: what they default to, and which contradict each other."""

from __future__ import annotations

from typing import Any

import pytest

from gdsfd.cohort.spec import CohortSpec, SurvivalSpec
from gdsfd.errors import SpecError

MODALITY = {"name": "labs", "kind": "table", "source": "labs.csv", "id": "stay"}


def spec(*outcomes: dict[str, Any]) -> CohortSpec:
    return CohortSpec(cohort={"source": "stays.csv", "id": "stay"}, outcome=list(outcomes), modality=[MODALITY])


def outcome(**fields: Any) -> dict[str, Any]:
    return {"name": "death", "kind": "survival", "time": "days", "event": "died", **fields}


def test_what_it_is_made_of_by_default() -> None:
    found = spec(outcome()).outcome[0]
    assert isinstance(found, SurvivalSpec)
    assert found.columns == ("days", "died")
    assert (found.positive, found.negative) == ([1], [0])
    assert (found.intervals, found.cut_points, found.horizon, found.unit) == (None, [], None, "")


def test_it_is_written_down_whole() -> None:
    stored = spec(outcome(cut_points=[30, 180], unit="days")).to_dict()["outcome"][0]
    assert stored["kind"] == "survival"
    assert (stored["time"], stored["cut_points"], stored["unit"]) == ("days", [30, 180], "days")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": "surv"}, "kind: expected 'survival' for a time to an event, or no kind for labels, got 'surv'"),
        ({"time": "died"}, "time and event are both 'died'"),
        ({"column": "died2"}, "has 'time' and 'event' in place of 'column'"),
        ({"classes": ["a", "b"]}, "'classes' does not go with"),
        ({"positive": "dead"}, "both 'positive' and 'negative'"),
        ({"positive": [1], "negative": [1]}, "which are equal"),
        ({"intervals": 1}, r"intervals: expected a whole number from 2 to 100"),
        ({"intervals": 5, "cut_points": [1, 2]}, "'cut_points' stands in place of"),
        ({"horizon": 5, "cut_points": [1, 2]}, "'cut_points' stands in place of"),
        ({"cut_points": [3]}, "two cut points or more"),
        ({"cut_points": [3, 2]}, "ascending order"),
        ({"cut_points": [0, 2]}, r"cut_points\[0\]: expected a number from 1e-09"),
        ({"horizon": -1}, "horizon: expected a number from 1e-09"),
        ({"horizn": 4}, "horizn: unknown key. Did you mean 'horizon'"),
    ],
)
def test_words_that_do_not_go_together(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(SpecError, match=words):
        spec(outcome(**fields))


def test_it_stands_alone() -> None:
    with pytest.raises(SpecError, match='kind = "survival" stands alone'):
        spec(outcome(), {"name": "b", "column": "b", "positive": 1})


def test_a_missing_column_is_named() -> None:
    with pytest.raises(SpecError, match=r"event: is required but missing"):
        spec({"name": "death", "kind": "survival", "time": "days"})
