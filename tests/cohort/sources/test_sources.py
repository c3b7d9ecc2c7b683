from __future__ import annotations

import gzip
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from gdsfd.cohort.sources.internal_names import KEEP, ROW
from gdsfd.cohort.sources.sources import Sources
from gdsfd.cohort.spec import JoinSpec
from gdsfd.errors import InputError, SpecError
from tests.cohort.sources.view_cells import cells


def passing(sources: Sources, frame: pd.DataFrame, where: str, **fields: Any) -> list[Any]:
    view = sources.open(frame, "modality 'm'", where=where, **fields)
    return sources.database.fetch(view.table.filter(view.table[KEEP]).order_by(ROW))["id"].to_pylist()


def test_database_types_are_reduced(sources: Sources, tmp_path: Path) -> None:
    table = pa.table(
        {
            "id": pa.array([141765], pa.decimal128(10, 0)),
            "x": pa.array([Decimal("1.25")], pa.decimal128(10, 2)),
            "level": pa.array(["low"]).dictionary_encode(),
            "when": pa.array([pd.Timestamp("2150-01-01 10:00")], pa.timestamp("ns")),
            "zoned": pa.array([pd.Timestamp("2150-01-01 10:00", tz="UTC")]),
            "clock": pa.array([3_600_000_000], pa.time64("us")),
            "span": pa.array([pd.Timedelta("02:30:00")]),
            "vector": pa.array([[1.0, 2.0]]),
        }
    )
    row = sources.database.fetch(sources.open(table, "m").table).to_pylist()[0]
    assert row["id"] == 141765
    assert isinstance(row["id"], int)
    assert (row["x"], row["level"], row["clock"], row["span"]) == (1.25, "low", "01:00:00", 150.0)
    assert row["when"] == pd.Timestamp("2150-01-01 10:00")
    assert row["zoned"] == pd.Timestamp("2150-01-01 10:00", tz="UTC")  # its zone is not forgotten
    assert row["vector"] == [1.0, 2.0]


# -- the user's SQL --------------------------------------------------------------------------------------------------


def test_where_sees_numbers_and_times_but_readers_see_text(sources: Sources) -> None:
    frame = pd.DataFrame(
        {
            "id": ["001", "002", "010"],
            "n": ["9", "10", ""],
            "f": ["1.50", "2", "-3e1"],
            "code": ["0090", "4139", "V10"],
            "t": ["2150-01-01", "2150-02-01 10:00", "2151-01-01"],
        }
    )
    assert passing(sources, frame, "n > 9") == ["002"]
    assert passing(sources, frame, "f < 2") == ["001", "010"]
    assert passing(sources, frame, "t >= TIMESTAMP '2150-02-01'") == ["002", "010"]
    assert passing(sources, frame, "code LIKE '0%' OR id = '010'") == ["001", "010"]
    assert passing(sources, frame, "n__text = '10'") == ["002"]
    assert passing(sources, frame, 'N > 9 and "f" = 2') == ["002"]
    view = sources.open(frame, "m", where="f < 2")
    assert cells(sources, view, "f") == ["1.50", "2", "-3e1"]
    assert view.rows == 3


def test_null_in_where_is_not_true(sources: Sources) -> None:
    assert passing(sources, pd.DataFrame({"id": ["a", "b"], "x": [1.0, np.nan]}), "x <> 2") == ["a"]


def test_where_takes_the_typing_that_fits(sources: Sources) -> None:
    digits = pd.DataFrame({"id": ["a", "b"], "code": ["4139", "250"], "n": ["9", "10"], "blank": [None, ""]})
    assert passing(sources, digits, "code LIKE '4%' AND n < 10") == ["a"]
    assert passing(sources, digits, "n = '9'") == ["a"]
    assert passing(sources, digits, "blank > 3") == []
    assert passing(sources, digits, "blank IS NULL AND blank || 'x' IS NULL") == ["a", "b"]
    ages = pd.DataFrame({"id": ["a", "b"], "age": ["> 89", "9"], "n": ["10", "10"]})
    with pytest.raises(SpecError, match=r"TRY_CAST\(column AS DOUBLE\) reads its numbers"):
        sources.open(ages, "modality 'm'", where="age > 60")
    with pytest.raises(SpecError, match=r"explicit cast"):  # never a silent comparison of texts
        sources.open(ages, "modality 'm'", where="age < n")
    assert passing(sources, ages, "coalesce(TRY_CAST(age AS DOUBLE), 90) > 60") == ["a"]


def test_derive_adds_replaces_and_builds_on_itself(sources: Sources) -> None:
    frame = pd.DataFrame({"id": ["a", "b"], "chol": ["0", "200"], "version": ["9", "10"], "icd": ["0090", "I10"]})
    derive = {"chol": "nullif(chol, 0)", "double": "chol * 2", "code": "version || ':' || icd", "big": "double > 300"}
    view = sources.open(frame, "m", derive=derive, where="double > 100")
    assert cells(sources, view, "chol") == [None, 200]
    assert cells(sources, view, "double") == [None, 400]
    assert cells(sources, view, "code") == ["9:0090", "10:I10"]
    assert cells(sources, view, KEEP) == [False, True]
    assert cells(sources, view, "version") == ["9", "10"]
    assert view.columns == ("id", "chol", "version", "icd", "double", "code", "big")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"where": "wcb > 3"}, "modality 'm', where = 'wcb > 3': .*wcb.* not found.*Columns: 'id', 'wbc'"),
        ({"where": "wbc >"}, "where = 'wbc >': Parser Error"),
        ({"derive": {"x": "nofunction(wbc)"}}, "derive.x = 'nofunction.wbc.': the function 'nofunction' is not taken"),
    ],
)
def test_wrong_sql_is_a_spec_error(sources: Sources, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        sources.open(pd.DataFrame({"id": ["a"], "wbc": ["1"]}), "modality 'm'", **fields)


def test_join_puts_look_up_columns_beside_rows(sources: Sources) -> None:
    frame = pd.DataFrame({"id": ["1", "2", "3"], "h": ["07", "8", None]})
    look_up = pd.DataFrame({"h": ["8", "07"], "region": ["South", "West"], "more": [1, 2]})
    join = JoinSpec(source=look_up, on="h", columns=["region"])
    view = sources.open(frame, "cohort", joins=[join], where="region = 'West'", in_order=True)
    assert cells(sources, view, "region") == ["West", "South", None]
    assert cells(sources, view, KEEP) == [True, False, False]
    assert "more" not in view.columns
    with pytest.raises(InputError, match=r"the key 'h' of a join must be unique, but repeats for '8'"):
        sources.open(
            frame, "cohort", joins=[JoinSpec(source=pd.concat([look_up, look_up[:1]]), on="h", columns=["region"])]
        )
    with pytest.raises(InputError, match=r"has no column 'reg' \(cohort, join\). Did you mean 'region'"):
        sources.open(frame, "cohort", joins=[JoinSpec(source=look_up, on="h", columns=["reg"])])
    with pytest.raises(InputError, match="already has a column 'h'"):
        sources.open(frame, "cohort", joins=[JoinSpec(source=look_up, on="h", columns=["h"])])


# -- broken files ----------------------------------------------------------------------------------------------------


def test_broken_files_say_where_and_what_to_do(sources: Sources, tmp_path: Path) -> None:
    rows = b"".join(b"%d,abc%d\n" % (k, k * 7919) for k in range(50_000))
    whole = gzip.compress(b"id,x\n" + rows)
    for cut in (len(whole) // 2, len(whole) - 4):
        (tmp_path / f"cut{cut}.csv.gz").write_bytes(whole[:cut])
        with pytest.raises(InputError, match=rf"cut{cut}.csv.gz: the .gz file breaks off .*copy it again"):
            sources.open(f"cut{cut}.csv.gz", "m")
    (tmp_path / "latin.csv").write_bytes(b"id,x\n" + b"1,abc\n" * 300_000 + b"2,caf\xe9\n" + b"1,abc\n" * 10)
    with pytest.raises(
        InputError, match=r"latin.csv is not UTF-8 at line 300002 .* convert it .* e.g. iconv -f LATIN1"
    ):
        sources.open("latin.csv", "m")
    (tmp_path / "ragged.csv").write_text("id,x\n1,2\n3\n4,5\n")
    with pytest.raises(InputError, match=r"ragged.csv at line 3: expected Number of Columns: 2 Found: 1"):
        sources.open("ragged.csv", "m")
    (tmp_path / "open.csv").write_text('id,x\n1,"2\n3,4\n')
    with pytest.raises(InputError, match=r"open.csv.*a quoted value is not closed"):
        sources.open("open.csv", "m")
    (tmp_path / "text.parquet").write_text("no parquet")
    with pytest.raises(InputError, match=r"text.parquet cannot be read"):
        sources.open("text.parquet", "m")
