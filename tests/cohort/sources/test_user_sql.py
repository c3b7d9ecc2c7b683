"""Times in users' SQL: never compared as texts, never with a zone on one side only."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.errors import SpecError
from tests.cohort.small_exports import PATIENTS, patients, spec

ROW = range(PATIENTS)
LOCAL = [f"2150-{1 + k // 28:02d}-{1 + k % 28:02d} 10:00" for k in ROW]


def kept(where: str, **columns: Any) -> int:
    """Patients for whom ``where`` is true, of a cohort with more columns."""
    return len(build_cohort(spec(cohort={"source": patients().assign(**columns), "where": where})))


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([*LOCAL[:-1], "NA"], "39 of its 40 cells are timestamps, the others not, e.g. 'NA'"),
        ([*LOCAL[:-1], "2150-01-20 01:00 PM"], "e.g. '2150-01-20 01:00 PM'"),
        (
            [*LOCAL[:-1], LOCAL[-1] + "+02:00"],
            "40 of its 40 cells are timestamps, the others not (zones on some only)",
        ),
        ([*LOCAL[:-1], "01/02/2150"], "e.g. '01/02/2150'"),
    ],
)
@pytest.mark.parametrize("where", ["t >= '2150-01-15'", "'2150-01-15' < t", "t BETWEEN '2150-01-15' AND '2150-02-01'"])
def test_times_are_never_compared_as_texts(times: list[str], message: str, where: str) -> None:
    with pytest.raises(SpecError, match=rf"column 't' would be compared as text, as .*{re.escape(message)}.*TRY_CAST"):
        kept(where, t=times)
    kept("t__text >= '2150-01-15'", t=times)
    assert kept("t = '2150-01-15' OR pid IS NOT NULL", t=times) == PATIENTS
    kept("coalesce(TRY_CAST(t AS TIMESTAMP), TIMESTAMP '2150-01-15') >= TIMESTAMP '2150-01-15'", t=times)


@pytest.mark.parametrize("form", ["%d/%m/%Y", "%m/%d/%Y %H:%M", "%d.%m.%Y", "%Y-%m-%d %I:%M %p"])
def test_dates_in_another_order_are_never_compared_as_texts(form: str) -> None:
    times = pd.to_datetime(pd.Series(LOCAL))
    with pytest.raises(
        SpecError, match=r"'t' would be compared as text, as 40 of its 40 cells begin like dates, but not"
    ):
        kept("t >= '05/01/2150'", t=times.dt.strftime(form))
    said = f"strptime(t__text, '{form}') >= TIMESTAMP '2150-01-05'"
    assert kept(said, t=times.dt.strftime(form)) == int((times >= "2150-01-05").sum())


def test_numbers_are_never_compared_as_texts() -> None:
    with pytest.raises(SpecError, match="column 'age' would be compared as text, as 39 of its 40 cells are numbers"):
        kept("age >= '18'", age=[*map(str, ROW[:-1]), "> 89"])
    assert kept("age__text >= '38'", age=[*map(str, ROW[:-1]), "V10"]) == 8  # 38, 4 to 9, V10


@pytest.mark.parametrize("typed", [False, True])
def test_zones_on_one_side_only_are_refused_in_sql(typed: bool) -> None:
    zoned: Any = pd.Series(LOCAL) + ":00+02:00"
    local: Any = pd.Series(LOCAL)
    if typed:
        zoned, local = pd.to_datetime(zoned).dt.tz_convert("Europe/Berlin"), pd.to_datetime(local)
    columns = {"utc": zoned, "here": local}
    with pytest.raises(SpecError, match="'utc' holds times with an offset from UTC and 'here' holds none with one"):
        kept("utc < here", **columns)
    assert kept("utc < timezone('UTC', here)", **columns) == PATIENTS  # 08:00 before 10:00
    assert kept("timezone('Asia/Tokyo', utc) > here", **columns) == PATIENTS  # 17:00 after 10:00
    assert kept("date_diff('minute', utc, utc) = 0", **columns) == PATIENTS


@pytest.mark.parametrize("cast", ["CAST(t AS TIMESTAMP)", "TRY_CAST(t AS timestamp)", "t::TIMESTAMP"])
def test_a_cast_that_loses_the_zone_is_refused(cast: str) -> None:
    """Its result would be the time in UTC, and be held against local times without a word."""
    times = ["2150-01-01 10:00:00+02:00"] * PATIENTS
    with pytest.raises(SpecError, match="'t' holds times with an offset from UTC, and as TIMESTAMP they have none"):
        kept(f"hour({cast}) = 8", t=times)
    assert kept("hour(timezone('UTC', t)) = 8", t=times) == PATIENTS
    assert kept("CAST(t AS TIMESTAMP WITH TIME ZONE) = t", t=times) == PATIENTS
    assert kept(f"hour({cast}) = 10", t=LOCAL) == PATIENTS


def test_a_zone_of_a_text_counts_in_sql() -> None:
    times = ["2150-01-01 10:00:00+02:00", "2150-01-01T09:00:00Z"] * (PATIENTS // 2)
    assert kept("hour(t) = 8", t=times) == PATIENTS // 2
    assert kept("t = TIMESTAMPTZ '2150-01-01 11:00:00+02:00'", t=times) == PATIENTS // 2


def spelling_warnings(codes: list[str], derive: str) -> list[str]:
    frame = pd.DataFrame({"pid": patients()["pid"].head(len(codes)), "code": codes, "version": "9"})
    entry = {"name": "c", "kind": "codes", "source": frame, "id": "pid", "code": "x", "min_count": 1}
    cohort = build_cohort(spec({**entry, "derive": {"x": derive}}))
    return [finding.text for finding in cohort.receipt.findings if finding.kind == "spelling"]


def test_numbers_that_are_written_anew_in_a_text_are_told() -> None:
    """Of a patient alone 250.00 would be 250.0, and a code that the model does not know."""
    among = ["250.00", "401.10", "V45.1", "428.0"]
    alone = ["250.00", "401.10", "428.0", "5"]
    assert spelling_warnings(among, "version || ':' || code") == []
    (text,) = spelling_warnings(alone, "version || ':' || code")
    assert text.startswith("x: column 'code' holds numbers only and is read as such, so '250.00' becomes '250.0'")
    assert "(3 cells alike)" in text
    assert "code__text is the text as written, always" in text
    assert spelling_warnings(alone, "version || ':' || code__text") == []
    assert spelling_warnings(["250", "401", "428", "5"], "version || ':' || code") == []
    assert spelling_warnings(alone, "lower(code) || ':' || version") == []  # read as text, as lower() needs it
