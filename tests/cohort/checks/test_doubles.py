"""Patients of two persons with the same values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from gdsfd.cohort.build import build_cohort
from tests.cohort.small_exports import patients, spec

COUNT = 60


def told(
    again: int, same_person: bool = False, numbers: int = 9, show_ids: bool = False, kind: str = "both"
) -> list[str]:
    """The warnings where the first patients stand there again under other ids."""
    random = np.random.default_rng(0)
    people = patients(COUNT)
    double = people.iloc[:again].assign(pid=lambda rows: "z" + rows["pid"])
    double["person"] = double["person"] if same_person else "z" + double["person"]
    values = pd.DataFrame(random.normal(size=(COUNT, numbers)).round(2), columns=[f"x{k}" for k in range(numbers)])
    values.insert(0, "pid", people["pid"])
    rows = COUNT * 12
    events = pd.DataFrame(
        {
            "pid": np.repeat(people["pid"].to_numpy(), 12),
            "t": random.integers(0, 1440, rows),
            "item": random.choice(["a", "b"], rows),
            "value": random.normal(size=rows).round(2),
        }
    )
    more = [
        pd.concat([frame, frame[frame["pid"].isin(people["pid"][:again])].assign(pid=lambda part: "z" + part["pid"])])
        for frame in (values, events)
    ]
    entries: list[dict[str, Any]] = [
        {"name": "m", "kind": "table", "source": more[0], "id": "pid"},
        # the doubles' events in another order
        {"name": "e", "kind": "events", "source": more[1].iloc[::-1], "id": "pid", "time": "t", "item": "item",
         "value": "value", "window": [0, 1440]},
    ]  # fmt: skip
    if kind != "both":
        entries = [entry for entry in entries if entry["kind"] == kind]
    made = spec(entries, cohort={"source": pd.concat([people, double])})
    found = build_cohort(made, show_ids=show_ids).receipt.findings
    return [finding.text for finding in found if "very same numbers" in finding.text]


def test_doubles_under_other_ids_are_told_with_those_in_another_split() -> None:
    for kind in ("both", "table", "events"):
        (text,) = told(20, kind=kind)
        assert text.startswith("40 patients have the very same numbers in all tables and events as a patient of anoth")
        assert "of them have their double in another split" in text
        assert "z000" not in text
    assert "(e.g. '000 and z000', " in told(20, show_ids=True)[0]


def test_what_is_no_double() -> None:
    assert told(0) == []
    assert told(20, same_person=True) == []  # two stays of one person
    assert told(20, numbers=3, kind="table") == []  # three numbers may be equal by chance
