"""A comparison says what its figures are means over."""

from __future__ import annotations

from typing import Any

from gdsfd.cohort.schema import SurvivalFields
from gdsfd.comparison.mean_over_targets import means_in_words


def record(design: str, *names: str) -> dict[str, Any]:
    return {"design": design, "splits": {"test": {"auroc": 0.7, "mean_of": list(names)}, "tuning": {"auroc": 0.7}}}


def test_one_outcome_needs_no_words() -> None:
    assert means_in_words([record("a"), {"design": "b", "splits": {}}]) == ()


def test_several_outcomes_are_named_once_per_design() -> None:
    found = means_in_words([record("a", "death", "sepsis"), record("a", "sepsis", "death"), record("b", "x", "y")])
    assert found == (
        "a: figures are means over 2 targets: 'death', 'sepsis'.",
        "b: figures are means over 2 targets: 'x', 'y'.",
    )


def test_intervals_of_a_time_to_an_event_are_told_from_outcomes() -> None:
    for unit in ("days", ""):
        names = SurvivalFields("death", "t", "e", (7.5, 30.0, 365.0), unit).interval_names
        (note,) = means_in_words([record("a", *names)])
        assert note.startswith("a: figures are means over 3 targets: 'death: 0 to 7.5")
        assert note.endswith("among those at risk when it begins; gdsfd evaluate has the concordance of a run.")
