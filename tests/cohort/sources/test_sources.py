from __future__ import annotations

import gzip
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import gdsfd.cohort.sources.base_tables as base_tables
from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.sources.internal_names import KEEP, ROW
from gdsfd.cohort.sources.sources import Sources, View
from gdsfd.cohort.spec import JoinSpec
from gdsfd.errors import InputError, SpecError
from tests.cohort.small_exports import labs, spec


@pytest.fixture
def sources(tmp_path: Path) -> Iterator[Sources]:
    with Sources(tmp_path) as opened:
        yield opened


def cells(sources: Sources, view: View, column: str) -> list[Any]:
    return sources.database.fetch(view.table.order_by(ROW))[column].to_pylist()


def passing(sources: Sources, frame: pd.DataFrame, where: str, **fields: Any) -> list[Any]:
    view = sources.open(frame, "modality 'm'", where=where, **fields)
    return sources.database.fetch(view.table.filter(view.table[KEEP]).order_by(ROW))["id"].to_pylist()


def test_csv_cells_are_text_trimmed_and_blank_is_null(sources: Sources, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('id, drug ,n\n001,"  A, ""x"" \t",1e3\n 2 ,  ,\n"3","two\nlines",NA\n')
    view = sources.open("a.csv", "m")
    assert view.columns == ("id", "drug", "n")
    assert cells(sources, view, "id") == ["001", "2", "3"]
    assert cells(sources, view, "drug") == ['A, "x"', None, "two\nlines"]
    assert cells(sources, view, "n") == ["1e3", None, "NA"]
    assert view.rows == 3


def test_carriage_returns_and_other_delimiters(sources: Sources, tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_bytes(b"id\tx\r\n1\ta,b\r\n2\tc\r\n")
    view = sources.open("a.tsv", "m")
    assert cells(sources, view, "x") == ["a,b", "c"]


def test_a_header_without_rows(sources: Sources, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,x\n")
    assert sources.open("a.csv", "m", where="x > 3").rows == 0


def test_globs_take_columns_by_name_and_count_duplicates(sources: Sources, tmp_path: Path) -> None:
    (tmp_path / "a1.csv").write_text("id,x\n1,a\n1,a\n")
    (tmp_path / "a2.csv").write_text("x,id\nb,2\na,1\n")
    view = sources.open("a*.csv", "m")
    assert cells(sources, view, "id") == ["1", "1", "2", "1"]
    assert view.files == ["a1.csv", "a2.csv"]
    assert view.duplicates == 2
    (tmp_path / "a3.csv").write_text("id,y\n1,a\n")
    with (
        Sources(tmp_path) as others,
        pytest.raises(InputError, match=r"a3.csv and a1.csv differ in columns 'x', 'y'"),
    ):
        others.open("a*.csv", "m")


def test_parquet_keeps_types_and_trims_text(sources: Sources, tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": [1, 2], "x": [1.5, np.nan], "t": [" a ", " "]})
    frame.to_parquet(tmp_path / "p.parquet")
    for in_order in (False, True):
        view = sources.open("p.parquet", "m", in_order=in_order)
        assert cells(sources, view, "id") == [1, 2]
        assert cells(sources, view, "x") == [1.5, None]
        assert cells(sources, view, "t") == ["a", None]


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


def test_frames_of_mixed_objects_and_other_tables(sources: Sources) -> None:
    mixed = pd.DataFrame({"id": np.array([1, "b", None], dtype=object), "x": [1, 2, 3]})
    assert cells(sources, sources.open(mixed, "m"), "id") == ["1", "b", None]
    expression = ibis.memtable({"id": ["1"], "x": [2.0]})
    assert cells(sources, sources.open(expression, "m"), "x") == [2.0]
    with pytest.raises(InputError, match=r"column names must differ .* got 'x' more than once"):
        sources.open(pd.DataFrame([[1, 2]], columns=["x", "x"]), "m")
    with pytest.raises(SpecError, match=r"modality 'm': source must be a path, .* got ndarray"):
        sources.open(np.zeros(3), "modality 'm'")


def test_a_source_is_read_once(sources: Sources, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,x\n1,2\n")
    sources.open("a.csv", "m", where="x > 1")
    path.unlink()
    path.write_text("id,x\n")
    assert sources.open("a.csv", "n").rows == 1


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


@pytest.mark.parametrize("form", ["csv", "frame", "parquet"])
def test_only_columns_that_the_spec_can_use_reach_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    frame = labs().assign(address="SECRET", excluded="SECRET", quoted="SECRET")
    frame["lactate"] = [k * k % 37 for k in range(40)]
    frame = pd.concat([frame, frame.iloc[[3]].assign(pid="nobody"), frame.iloc[[3]].assign(pid="nobody")])
    source: Any = frame
    if form == "csv":
        source = "labs.csv"
        frame.to_csv(tmp_path / source, index=False)
    elif form == "parquet":
        source = "labs.parquet"
        frame.to_parquet(tmp_path / source, index=False)
    table = {"kind": "table", "source": source, "id": "pid", "invalid": "missing"}
    modality = [
        {**table, "name": "a", "columns": ["wbc"], "where": "unit = 'ICU' AND unit <> 'quoted'"},
        {**table, "name": "b", "columns": "lac*"},
        {**table, "name": "c", "exclude": ["address", "exc*", "quoted"]},
    ]
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    found: list[bytes] = []
    read_all = base_tables.Database.__exit__

    def look_first(self: Any, *exception: object) -> None:
        found.extend(file.read_bytes() for file in scratch.rglob("*") if file.is_file())
        read_all(self, *exception)

    monkeypatch.setattr(base_tables.Database, "__exit__", look_first)
    cohort = build_cohort(spec(modality, base_dir=tmp_path), scratch=scratch)
    assert any(b"ICU" in content for content in found)
    assert not any(b"SECRET" in content for content in found)
    assert not any(scratch.iterdir())
    assert {receipt.duplicates for receipt in cohort.receipt.modalities} == {1}
    assert cohort.schema.modalities[2].numeric == ("wbc", "lactate")


def test_a_misspelt_column_is_suggested_though_it_was_not_copied(tmp_path: Path) -> None:
    labs().assign(lactate=1).to_csv(tmp_path / "labs.csv", index=False)
    modality = {"kind": "table", "name": "a", "source": "labs.csv", "id": "pid", "columns": ["lactat"]}
    with pytest.raises(InputError, match=r"no column 'lactat'.*Did you mean 'lactate'"):
        build_cohort(spec(modality, base_dir=tmp_path))
    with pytest.raises(InputError, match=r"column 'lactat' was not found\. Did you mean 'lactate'"):
        build_cohort(spec({**modality, "columns": ["wbc"], "where": "lactat > 1"}, base_dir=tmp_path))


def test_repeated_rows_are_counted_exactly(sources: Sources, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.integers(0, 3, (20_000, 9)), columns=list("abcdefghi")).astype("Int64")
    frame = frame.mask(frame == 0)
    frame["whole row"] = random.integers(0, 2, len(frame))  # the name of our own column
    expected = len(frame) - len(frame.drop_duplicates())
    assert expected > 100
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    for source in ("a.csv", "a.parquet", frame):
        assert sources.open(source, "m").duplicates == expected
    assert sources.open("a.parquet", "m", in_order=True).duplicates == expected
    frame.iloc[:10_000].to_csv(tmp_path / "part1.csv", index=False)
    frame.iloc[10_000:][[*"ihgfedcba", "whole row"]].to_csv(tmp_path / "part2.csv", index=False)
    assert sources.open("part*.csv", "m").duplicates == expected


def test_nothing_stays_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Sources(tmp_path) as opened:
        opened.open(labs(), "m")
        assert any(tmp_path.iterdir())
    assert not any(tmp_path.iterdir())
    pq.write_table(pa.table({"id": ["1"]}), tmp_path / "p.parquet")
    with Sources(tmp_path) as opened:
        opened.open("p.parquet", "m")
    assert [path.name for path in tmp_path.iterdir()] == ["p.parquet"]


def test_blanks_of_every_kind_around_cells_are_nothing(sources: Sources, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "id,x\n\u00a0001\u200b,\u3000é\u2009\n002,\u00a0\n\ufeff003,a\u00a0b\n", encoding="utf-8"
    )
    for source in ("a.csv", pd.read_csv(tmp_path / "a.csv", dtype=str)):
        view = sources.open(source, "m")
        assert cells(sources, view, "id") == ["001", "002", "003"]
        assert cells(sources, view, "x") == ["é", None, "a\u00a0b"]
