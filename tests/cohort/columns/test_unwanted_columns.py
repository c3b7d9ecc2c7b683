from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.columns.unwanted_columns import is_row_number
from tests.cohort.small_exports import PATIENTS, patients, spec

ROW = np.arange(PATIENTS)


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("hr", ROW, True),
        ("hr", ROW + 1, True),
        ("hr", 1000 - ROW, True),
        ("hr", np.random.default_rng(0).permutation(PATIENTS), True),
        ("hr", np.where(ROW == 7, np.nan, ROW), True),
        ("hr", ROW + 0.5, False),
        ("hr", ROW * 3 % 37, False),
        ("hr", ROW * 2, False),
        ("index", ROW * 7 % 83, True),
        ("Unnamed: 0", ROW[:3] * 2, True),
        ("...1", ROW[:3] * 2, True),
        ("", ROW[:3] * 2, True),
        ("column0", ROW[:3] * 2, True),
        ("X", ROW * 2, True),
        ("no", ROW * 2, True),
        ("no", ROW * 7 % 83, False),
        ("index", ROW / 7, False),
        ("hr", ROW[:5], False),
    ],
)
def test_what_counts_the_rows(name: str, values: Any, expected: bool) -> None:
    values = np.asarray(values, np.float64)
    assert is_row_number(name, values, np.arange(len(values))) is expected


def test_row_numbers_of_the_rows_that_are_left() -> None:
    position = np.flatnonzero(ROW % 3 > 0)
    assert is_row_number("hr", position + 1.0, position)


def test_what_nobody_asked_for_is_left_out_with_a_warning_and_taken_by_name() -> None:
    frame = patients().assign(
        **{"Unnamed: 0": ROW, "shuffled": ROW[::-1] * 7 % 40, "number": ROW, "mrn": [f"P{k // 2}" for k in ROW]},
        gender=patients().sex,
        hr=60 + ROW * 7 % 31,
    )
    fields: dict[str, Any] = {"cohort": {"source": frame, "environment": "site", "groups": ["sex"]}}
    entry = {"name": "m", "kind": "table", "source": frame, "id": "pid", "min_level_count": 1}
    cohort = build_cohort(spec({**entry, "exclude": "admitted"}, **fields))
    assert cohort.schema.modalities[0].numeric == ("hr",)
    assert cohort.schema.modalities[0].categorical == ("stage",)
    told = {finding.where: finding.text for finding in cohort.receipt.findings if finding.kind == "columns"}
    assert set(told) == {"m", "m.mrn", "m.gender"}
    assert "repeats the person" in told["m.mrn"]
    assert "repeats the group 'sex'" in told["m.gender"]
    whole = " ".join(finding.text for finding in cohort.receipt.findings if finding.where == "m")
    for column in ("person", "site", "sex", "died", "Unnamed: 0", "shuffled", "number"):
        assert repr(column) in whole
    asked = {**entry, "columns": ["Unnamed: 0", "site", "sex", "mrn", "h*"]}
    cohort = build_cohort(spec(asked, **fields))
    assert cohort.schema.modalities[0].numeric == ("Unnamed: 0", "hr")
    assert cohort.schema.modalities[0].categorical == ("site", "sex", "mrn")
    told = {finding.where: finding.text for finding in cohort.receipt.findings if finding.kind == "columns"}
    assert "running number" in told["m.Unnamed: 0"]
    assert build_cohort(spec({**entry, "columns": "s*"}, **fields)).schema.modalities[0].categorical == ("stage",)


def test_patterns_of_events_and_embeddings_pass_over_them_too() -> None:
    frame = pd.DataFrame({"pid": patients().pid, "Unnamed: 0": ROW, "t": 5, "a": ROW % 7, "b": ROW % 3, "site": "x"})
    fields: dict[str, Any] = {"cohort": {"environment": "site"}}
    events = {"name": "m", "kind": "events", "source": frame, "id": "pid", "time": "t", "values": "*", "min_count": 1}
    cohort = build_cohort(spec(events, **fields))
    assert cohort.schema.modalities[0].items == ("a", "b")
    assert any("'site', 'Unnamed: 0'" in finding.text for finding in cohort.receipt.findings)
    vectors = {"name": "m", "kind": "embedding", "source": frame.drop(columns="t"), "id": "pid", "columns": "*"}
    cohort = build_cohort(spec(vectors, **fields))
    assert cohort.schema.modalities[0].width == 2
    assert any("'site', 'Unnamed: 0'" in finding.text for finding in cohort.receipt.findings)
