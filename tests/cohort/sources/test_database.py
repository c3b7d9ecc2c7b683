"""The database of a build: what it stores, what it may read, and that it goes."""

from __future__ import annotations

import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from gdsfd.cohort.sources.database import Database
from gdsfd.errors import InputError

TABLE = pa.table({"pid": ["a", "b", "a", "a"], "x": [1, 2, 1, 1], "y": [5, 5, 5, 6]})


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database(tmp_path) as opened:
        yield opened


def test_a_table_comes_back_and_is_described(database: Database) -> None:
    stored = database.store('a "quoted" name', TABLE)
    assert database.fetch(stored).equals(TABLE)
    assert database.count('a "quoted" name') == 4
    assert database.types('a "quoted" name') == {"pid": "VARCHAR", "x": "BIGINT", "y": "BIGINT"}
    large = stored.filter(stored.y > 5)
    assert database.fetch(database.view(large)).to_pylist() == [{"pid": "a", "x": 1, "y": 6}]
    assert database.rows(database.sql(large)) == [("a", 1, 6)]
    assert database.new_name("rows") != database.new_name("rows")


def test_the_number_of_a_row_stands_for_all_its_columns_also_those_not_stored(database: Database) -> None:
    database.store("part", TABLE, ["x"], whole="whole row")
    assert list(database.types("part")) == ["x", "whole row"]
    first, second, third, fourth = [number for _, number in database.rows("SELECT * FROM part ORDER BY rowid")]
    assert first == third
    assert len({first, second, fourth}) == 3  # the last differs in y alone


def test_batches_are_the_rows_in_order(database: Database) -> None:
    stored = database.store("many", pa.table({"at": range(10_000)}))
    pieces = list(database.batches(stored.order_by(stored["at"].desc()), 4096))
    assert len(pieces) > 1
    assert [value for piece in pieces for value in piece["at"].to_pylist()] == list(range(10_000))[::-1]


def test_only_files_that_were_named_are_read_and_nothing_unlocks_the_others(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for name in ("named.csv", "other.csv", "folder/inside.csv"):
        (tmp_path / name).write_text("id\n1\n")
    with Database(files=[str(tmp_path / "named.csv")], folders=[str(tmp_path / "folder")]) as database:
        for name in ("named.csv", "folder/inside.csv"):
            assert database.rows(f"FROM read_csv('{tmp_path / name}')") == [(1,)]
        for statement in (
            f"FROM read_csv('{tmp_path / 'other.csv'}')",
            f"COPY (SELECT 1) TO '{tmp_path / 'written.csv'}'",
            f"ATTACH '{tmp_path / 'written.db'}'",
            "FROM 'https://localhost/a.csv'",
            "INSTALL httpfs",
        ):
            with pytest.raises(duckdb.Error):
                database.run(statement)
        with pytest.raises(duckdb.Error, match="locked"):
            database.run("SET enable_external_access = true")
    assert not list(tmp_path.glob("written*"))


def test_only_the_user_can_read_its_folder_which_goes_also_after_an_error(tmp_path: Path) -> None:
    with suppress(ZeroDivisionError), Database(tmp_path) as database:
        assert database.folder.parent == tmp_path
        assert stat.S_IMODE(database.folder.stat().st_mode) == 0o700
        raise ZeroDivisionError
    assert not list(tmp_path.iterdir())


def test_times_do_not_depend_on_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    with Database(tmp_path) as database:
        assert database.rows("SELECT epoch(CAST('1970-01-01 00:00' AS TIMESTAMPTZ))") == [(0.0,)]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("IO Error: GZIP stream broke", r"^labs: the .gz file breaks off or is damaged \(.*\); copy it again"),
        ("Invalid Input Error: CSV Error on Line: 7\nnot utf-8 encoded", "^labs is not UTF-8 at line 7; convert it"),
        ("The CSV parser state machine reached an invalid state", r"^labs: some lines end with \\r\\n and others"),
        (
            "CSV Error on Line: 3\nExpected Number of Columns: 2 Found: 1",
            "^labs at line 3: expected Number of Columns: 2 Found: 1; a row has too many or too few fields",
        ),
        ("CSV Error on Line: 2\nValue with unterminated quote found.", "^labs at line 2: a quoted value is not closed"),
        ("Something else\nfor its own reasons", "^labs cannot be read: Something else$"),
    ],
)
def test_what_the_database_says_of_a_source_is_told_with_its_name(database: Database, said: str, told: str) -> None:
    with pytest.raises(InputError, match=told), database.reading("labs"):
        raise duckdb.Error(said)


def test_a_full_disk_is_no_fault_of_the_source(database: Database) -> None:
    words = r"where the database of the build lies, says: No space left on device; free space there"
    with pytest.raises(InputError, match=words), database.reading("labs"):
        raise duckdb.IOException("Could not write file: No space left on device")


def test_it_draws_no_bars_of_its_own_where_no_script_runs() -> None:
    code = (
        "from gdsfd.cohort.sources.database import Database\n"
        "with Database() as database:\n"
        "    print(database.ibis.con.execute(\"SELECT current_setting('enable_progress_bar')\").fetchone())"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "(False,)"
