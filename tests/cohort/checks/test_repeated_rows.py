"""Events that stand in an export several times."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.spec_check import check_spec
from tests.cohort.small_exports import events, spec


def told(frame: pd.DataFrame, kind: str = "events") -> list[str]:
    fields = {"time": "minute", "item": "item", "value": "value"} if kind == "events" else {"code": "item"}
    made = spec({"name": "m", "kind": kind, "source": frame, "id": "pid", **fields})
    found = [finding.text for finding in build_cohort(made).receipt.findings if finding.kind == "rows"]
    assert [finding.text for finding in check_spec(made).warnings if finding.kind == "rows"] == found
    return found


def test_an_export_that_was_appended_to_itself_and_files_that_overlap() -> None:
    frame = events()
    frame = frame[~frame.duplicated()]
    assert told(frame) == []
    (text,) = told(pd.concat([frame, frame]))
    assert text.startswith(f"{len(frame):,} of {2 * len(frame):,} rows repeat another row in full: was an export app")
    third = len(frame) // 3
    (text,) = told(pd.concat([frame[: 2 * third], frame[third:]]))
    assert text.startswith(f"{third:,} of {len(frame) + third:,} rows")


def test_what_is_told_of_nobody() -> None:
    frame = events()
    assert told(pd.concat([frame, frame[:100]])) == []  # a twentieth
    assert told(pd.concat([frame, frame]).assign(row=np.arange(2 * len(frame)))) == []  # rows have numbers of their own
    assert told(pd.concat([frame, frame])[["pid", "item"]], "codes") == []  # a set


def test_rows_of_persons_are_counted_as_they_stand_in_the_file() -> None:
    """Each person has two patients, who both get the person's rows."""
    frame = events(count=20).rename(columns={"pid": "person"})
    frame = frame[~frame.duplicated()].assign(person=lambda rows: "p" + rows.person.astype(int).astype(str))
    entry = {"name": "m", "kind": "events", "source": pd.concat([frame, frame]), "id": "person", "match": "subject"}
    made = spec(entry | {"time": "minute", "item": "item", "value": "value"})
    for findings in (build_cohort(made).receipt.findings, check_spec(made).warnings):
        (text,) = [finding.text for finding in findings if finding.kind == "rows"]
        assert text.startswith(f"{len(frame):,} of {2 * len(frame):,} rows repeat another row in full")
