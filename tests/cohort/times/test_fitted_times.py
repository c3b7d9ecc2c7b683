"""Rows of new patients count within the window that the model's rows lay in."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.cohort import Cohort
from gdsfd.errors import SchemaError
from tests.cohort.small_exports import events, patients, spec

CODES: dict[str, Any] = {"name": "codes", "kind": "codes", "id": "pid", "code": "item", "min_count": 1}
EVENTS: dict[str, Any] = {"name": "vitals", "kind": "events", "id": "pid", "item": "item", "value": "value"}
TABLE: dict[str, Any] = {"name": "labs", "kind": "table", "id": "pid", "columns": ["value"]}


def frame() -> pd.DataFrame:
    return events()


def one_row_each() -> pd.DataFrame:
    """The first half of the patients within the first day, the others on the second."""
    ids = patients()["pid"]
    return pd.DataFrame({"pid": ids, "minute": [60 if k % 2 else 2000 for k in range(len(ids))], "value": range(40)})


def told(cohort: Cohort) -> list[str]:
    return [finding.text for finding in cohort.receipt.findings if finding.kind == "time"]


@pytest.mark.parametrize(
    ("entry", "source"), [(CODES, frame), (EVENTS, frame), (TABLE, one_row_each)], ids=["codes", "events", "table"]
)
def test_another_window_of_new_patients_is_not_used_and_told(entry: dict[str, Any], source: Any) -> None:
    fitted = build_cohort(spec({**entry, "source": source(), "time": "minute", "window": [0, 600]}))
    assert fitted.schema.modalities[0].window == (0.0, 600.0)
    same = build_cohort(spec({**entry, "source": source(), "time": "minute", "window": [0, 600]}), like=fitted.schema)
    assert not any("the model's rows" in text for text in told(same))
    wider = build_cohort(spec({**entry, "source": source(), "time": "minute", "window": [0, 2880]}), like=fitted.schema)
    assert wider.receipt.modalities[0].rows_kept == same.receipt.modalities[0].rows_kept
    assert any(
        text == "the model's rows lie within 0 to 600 minutes, and so must these; the spec's window is not used"
        for text in told(wider)
    )
    without = build_cohort(spec({**entry, "source": source(), "time": "minute"}), like=fitted.schema)
    assert without.receipt.modalities[0].rows_kept == same.receipt.modalities[0].rows_kept


def test_new_patients_whose_spec_forgot_the_time() -> None:
    fitted = build_cohort(spec({**EVENTS, "source": frame(), "time": "minute", "window": [0, 600]}))
    with pytest.raises(SchemaError, match="events lie in 10 steps of time, and the spec names no time"):
        build_cohort(spec({**EVENTS, "source": frame()}), like=fitted.schema)
    codes = build_cohort(spec({**CODES, "source": frame(), "time": "minute", "window": [0, 600]}))
    found = build_cohort(spec({**CODES, "source": frame()}), like=codes.schema)
    assert any("names no time, so rows of any time are taken" in text for text in told(found))


def test_other_steps_are_told() -> None:
    fitted = build_cohort(spec({**EVENTS, "source": frame(), "time": "minute", "window": [0, 600]}))
    entry = {**EVENTS, "source": frame(), "time": "minute", "window": [0, 600], "bin": 30}
    assert "the model's steps have 60 minutes, and so have these; bin is not used" in told(
        build_cohort(spec(entry), like=fitted.schema)
    )
    untimed = build_cohort(spec({**EVENTS, "source": frame()}))
    cut = build_cohort(spec({**EVENTS, "source": frame(), "time": "minute", "window": [0, 600]}), like=untimed.schema)
    assert any("events were of any time, these are cut off" in text for text in told(cut))
