from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gdsfd.cohort.readers.matched_rows import check_one_row
from gdsfd.errors import InputError
from tests.cohort.readers.event_cohort import built
from tests.cohort.small_exports import events


def test_drops_are_counted_in_order() -> None:
    rows = [
        ("000", "5", "hr", "80"), ("000", "5", "hr", "-1"), ("000", "5", "hr", ""), ("000", "5", "", "80"),
        ("000", "", "hr", "80"), ("000", "-5", "hr", "80"), ("999", "5", "hr", "80"), ("", "5", "hr", "80"),
        ("000", "5", "no", "text"),
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["pid", "minute", "item", "value"])
    cohort, _ = built(
        frame, time="minute", window=[0, 60], missing=[-1], where="item <> 'no' OR item IS NULL", min_count=1
    )
    receipt = cohort.receipt.modalities[0]
    assert [(drop.reason, drop.rows) for drop in receipt.drops] == [
        ("where is not true", 1),
        ("blank pid", 1),
        ("id not in the cohort", 1),
        ("blank minute", 1),
        ("outside the window of 0 to 60 minutes", 1),
        ("blank item", 1),
        ("blank value", 1),
        ("value is declared missing", 1),
    ]
    assert receipt.rows_kept == 1
    assert [(drop.names_patients, drop.examples) for drop in receipt.drops] == [(True, [])] * 8  # ids on demand only


def test_an_empty_modality_says_which_filter_took_what() -> None:
    with pytest.raises(
        InputError, match=r"modality 'm' .* is empty: of 2000 rows read none was kept: 2000 rows: outside the window"
    ):
        built(events(), time="minute", window=[5000, 6000])
    with pytest.raises(InputError, match=r"2000 rows: item rarer than min_count in train \(e.g. 'hr'"):
        built(events(), min_count=5000)
    with pytest.raises(InputError, match=r"of 0 rows read none was kept. Check"):
        built(events()[:0])


def test_a_window_holds_its_start_and_not_its_end() -> None:
    frame = pd.DataFrame({"pid": "000", "minute": [-1, 0, 59, 60], "item": "hr", "value": [1.0, 2.0, 3.0, 4.0]})
    cohort, observed = built(frame, time="minute", window=[0, 60], min_count=1)
    assert observed.summary.tolist() == [[2, 2.5, 2, 3, 2, 3]]
    (drop,) = cohort.receipt.modalities[0].drops
    assert (drop.reason, drop.rows) == ("outside the window of 0 to 60 minutes", 2)


def test_one_row_per_patient() -> None:
    rows: Any = SimpleNamespace(
        cohort=SimpleNamespace(id=[f"p{k}" for k in range(9)]),
        modality=SimpleNamespace(name="labs", kind="table"),
        view=SimpleNamespace(label="labs.csv"),
    )
    check_one_row(np.array([4, 0, 7]), rows)
    check_one_row(np.zeros(0, np.int64), rows)
    several = (
        r"modality 'labs' \(labs.csv\): 2 patients have more than one row: 'p0' \(3 rows\), 'p7' \(2 rows\)\. Kind"
    )
    with pytest.raises(InputError, match=several):
        check_one_row(np.array([7, 0, 4, 0, 7, 0]), rows)
    with pytest.raises(InputError, match=r"7 patients .*'p4' \(2 rows\)\. Kind"):  # five are named
        check_one_row(np.tile(np.arange(7), 2), rows)


def test_rows_of_a_person_go_to_every_patient_of_theirs() -> None:
    """Patients 000 and 001 are the person p0; times count from the admission of each, a day apart."""
    frame = pd.DataFrame({"who": ["p0", "p0", "p1", "px"], "item": "hr", "value": [1.0, 2.0, 3.0, 4.0]})
    frame["at"] = ["2150-01-01 01:00", "2150-01-02 01:00", "2150-01-03 01:00", "2150-01-01 01:00"]
    fields = {"id": "who", "match": "subject", "time": "at", "origin": "admitted", "window": [-1440, 1440], "bin": 1440}
    cohort, observed = built(frame, min_count=1, **fields)
    seen = {
        cohort.id[patient]: list(zip(observed.step[one:end].tolist(), observed.value[one:end].tolist()))
        for patient, one, end in zip(observed.patient, observed.ptr[:-1], observed.ptr[1:])
    }
    assert seen == {"000": [(1, 1.0)], "001": [(0, 1.0), (1, 2.0)], "002": [(1, 3.0)], "003": [(0, 3.0)]}
    receipt = cohort.receipt.modalities[0]
    assert (receipt.rows_read, receipt.rows_kept) == (7, 5)
    assert [(drop.reason, drop.rows) for drop in receipt.drops] == [
        ("id not in the cohort", 1),
        ("outside the window of -1440 to 1440 minutes", 1),
    ]
    assert "4 rows are of persons, some of whom are several patients: counted once for each patient, 7" in receipt.notes


@pytest.mark.parametrize(("unit", "minutes"), [("minutes", 1), ("hours", 60), ("days", 1440), ("years", 525_960)])
def test_the_value_can_be_how_long_ago_it_was(unit: str, minutes: int) -> None:
    frame = pd.DataFrame({"pid": ["000", "001"], "item": "age", "at": ["2149-12-31", "2150-01-02 06:00"]})
    fields = {"time": "at", "origin": "admitted", "bin": 52_596_000, "elapsed": unit, "min_count": 1}
    _, observed = built(frame, value=None, **fields)
    np.testing.assert_allclose(observed.summary[:, 1], [1440 / minutes, -360 / minutes], rtol=1e-6)


def test_persons_in_another_spelling_are_refused() -> None:
    frame = pd.DataFrame({"who": [*["p0"] * 20, "P1"], "item": "hr", "value": 1.0})
    with pytest.raises(InputError, match="differ only in their spelling: 'P1'"):
        built(frame, id="who", match="subject")
