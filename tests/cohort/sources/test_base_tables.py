from __future__ import annotations

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
from gdsfd.cohort.sources.sources import Sources
from gdsfd.errors import InputError, SpecError
from tests.cohort.small_exports import labs, spec
from tests.cohort.sources.view_cells import cells


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


def test_a_column_of_several_parquet_files_holds_the_values_of_all(sources: Sources, tmp_path: Path) -> None:
    parts = [
        {
            "id": ["a", "b"],
            "whole": [1, 2],
            "blank": [None, None],
            "small": pa.array([1, 2], pa.int8()),
            "mixed": [1, 2],
        },
        {"id": ["c", "d"], "whole": [1.7, 2.5], "blank": ["x", None], "small": [300, 4], "mixed": ["3", "high"]},
    ]
    for order in ((0, 1), (1, 0)):
        for place, number in enumerate(order):
            names = list(parts[number])[:: 1 if place else -1]
            table = pa.table({name: parts[number][name] for name in names})
            pq.write_table(table, tmp_path / f"p{''.join(map(str, order))}-{place}.parquet")
        view = sources.open(f"p{''.join(map(str, order))}-*.parquet", "m")
        rows = view.table.select("id", "whole", "blank", "small", "mixed").execute().sort_values("id")
        assert rows["whole"].tolist() == [1.0, 2.0, 1.7, 2.5]
        assert [value if isinstance(value, str) else None for value in rows["blank"]] == [None, None, "x", None]
        assert rows["small"].tolist() == [1, 2, 300, 4]
        assert rows["mixed"].tolist() == ["1", "2", "3", "high"]


def test_several_files_of_many_rows_are_read_without_counting_those_that_repeat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2):
        pd.DataFrame({"id": ["1", "1", "2"], "x": [number, number, 3]}).to_parquet(tmp_path / f"{number}.parquet")
    found = {}
    for limit in (5, 6):
        monkeypatch.setattr(base_tables, "DUPLICATES_UP_TO_ROWS", limit)
        with Sources(tmp_path) as sources:
            view = sources.open("*.parquet", "cohort")
            cells = sources.database.fetch(view.table.select("id", "x")).to_pydict()
            found[limit] = view.rows, view.duplicates, [note for note in view.notes if "not counted" in note], cells
    assert found[5][:2] == (6, 0)
    assert found[5][2] == ["fully repeated rows were not counted: the source is large"]
    assert found[6][:3] == (6, 3, [])
    assert found[5][3] == found[6][3]
