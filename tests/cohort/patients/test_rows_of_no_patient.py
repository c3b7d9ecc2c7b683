"""A header among the rows of a cohort table, and lines of totals."""

from __future__ import annotations

import pandas as pd
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.patients.rows_of_no_patient import check_rows_of_no_patient
from gdsfd.errors import InputError
from tests.cohort.small_exports import patients, spec


def test_a_header_among_the_rows_is_refused() -> None:
    table = patients()
    again = pd.concat([table[:20], pd.DataFrame([{name: name for name in table.columns}]), table[20:]])
    with pytest.raises(InputError, match=r"a row holds the names of the columns again \(id 'pid'\): were files append"):
        build_cohort(spec(cohort={"source": again}))
    build_cohort(spec(cohort={"source": again, "where": "pid <> 'pid'"}))


@pytest.mark.parametrize("word", ["Total", "SUM:", "grand total"])
def test_a_line_of_totals_is_told(word: str) -> None:
    table = pd.concat([patients(), pd.DataFrame([{"pid": word, "died": "17"}])])
    found = [
        finding for finding in build_cohort(spec(cohort={"source": table})).receipt.findings if finding.kind == "rows"
    ]
    (text,) = [finding.text for finding in found]
    assert text.startswith(f"1 ids are words beside ids that all have digits ('{word}'): lines of totals")


def test_what_may_be_a_patient() -> None:
    words = {"pid": ["anna", "total", "otto"], "died": ["yes", "no", "no"]}
    assert check_rows_of_no_patient("pid", words, "t.csv") == []  # no other id has a digit
    assert check_rows_of_no_patient("a", {"a": ["a", "b1"], "died": ["yes", "no"]}, "t.csv") == []
    assert check_rows_of_no_patient("pid", {"pid": ["1", "2", "A3"]}, "t.csv") == []
