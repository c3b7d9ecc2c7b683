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
