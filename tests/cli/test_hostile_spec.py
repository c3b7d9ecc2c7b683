"""A spec that somebody else wrote cannot run anything: each attack is code 2, named, and nothing is written."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import gdsfd.graph.build  # noqa: F401  torch makes a folder of its own when it is first imported
from gdsfd.cli import main
from tests.cohort.small_exports import events, labs, patients

SPEC = """\
[cohort]
source = "patients.csv"
id = "pid"
{cohort}

[outcome]
name = "died"
column = "died"
positive = "yes"
negative = "no"

[[modality]]
name = "labs"
kind = "table"
source = "labs.csv"
id = "pid"
columns = ["wbc", "unit"]
missing = [-1]
{modality}
"""

ATTACKS = {
    "a statement smuggled in": ("1) ; COPY (SELECT 42) TO '{out}/x.csv'; SELECT (1", "COPY"),
    "a second statement": ("1=1; COPY patients TO '{out}/x.csv'", "COPY"),
    "another SELECT": ("1) FROM (SELECT 1); SELECT (1", "SELECT"),
    "writing": ("COPY (SELECT 1) TO '{out}/x.csv'", "COPY"),
    "a file as text": ("read_text('/etc/passwd') IS NOT NULL", "read_text"),
    "a file as a table": ("(SELECT count(*) FROM read_csv('/etc/passwd')) > 0", "a subquery"),
    "a file as bytes": ("read_blob('/etc/passwd') IS NOT NULL", "read_blob"),
    "a file by its name": ("EXISTS (FROM '/etc/passwd')", "a subquery"),
    "the environment as a file": ("length((SELECT content FROM read_text('/proc/self/environ'))) > 0", "a subquery"),
    "the environment": ("getenv('HOME') <> ''", "getenv"),
    "names of files": ("len(glob('/*')) > 0", "glob"),
    "another database": ("1) ; ATTACH '{out}/other.duckdb' AS other; SELECT (1", "ATTACH"),
    "the network": ("read_parquet('https://127.0.0.1:9/x.parquet') IS NULL", "read_parquet"),
    "the network in a subquery": ("pid IN (SELECT pid FROM 'http://127.0.0.1:9/x.csv')", "a subquery"),
    "an extension installed": ("1); INSTALL httpfs; SELECT (1", "LOAD"),
    "an extension loaded": ("1); LOAD httpfs; SELECT (1", "LOAD"),
    "an extension's function": ("st_area(pid) > 0", "st_area"),
    "a setting": ("1); SET enable_external_access = true; SELECT (1", "SET"),
    "a pragma": ("1); PRAGMA enable_profiling; SELECT (1", "SELECT"),
    "a setting read": ("current_setting('temp_directory') <> ''", "current_setting"),
    "a macro": ("1); CREATE MACRO lower(a) AS 1; SELECT (1", "CREATE"),
    "a table dropped": ("1); DROP TABLE patients; SELECT (1", "DROP"),
    "SQL in a string": ("query('SELECT 1') = 1", "query"),
    "a subquery": ("pid IN (SELECT pid FROM patients)", "a subquery"),
    "more rows": ("unnest([1, 2]) > 0", "unnest"),
    "more rows of a series": ("generate_series(1, 3) IS NOT NULL", "generate_series"),
    "chance": ("random() < 0.5", "random"),
    "names by chance": ("uuid() > ''", "uuid"),
    "the clock": ("now() > TIMESTAMP '2000-01-01'", "now"),
    "the clock as a column": ("current_date > DATE '2000-01-01'", "current_date"),
    "an aggregate": ("sum(1) > 0", "sum"),
    "a count": ("count(*) > 0", "count"),
    "a window": ("row_number() OVER () < 10", "window function"),
    "rows by number": ("rowid < 10", "rowid"),
    "internal columns": ("__gdsfd_row < 10", "__gdsfd_row"),
    "a comment that hides the rest": ("1) FROM patients --", "Parser Error"),
    "a parameter": ("pid = ?", "a parameter"),
    "all columns": ("COLUMNS(*) IS NOT NULL", "COLUMNS"),
    "a long sleep": ("sleep_ms(100000) IS NULL", "sleep_ms"),
}
PLACES = ["cohort where", "cohort derive", "modality where", "modality derive"]


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exports")
    patients().to_csv(folder / "patients.csv", index=False)
    labs().to_csv(folder / "labs.csv", index=False)
    events().to_csv(folder / "events.csv", index=False)
    return folder


def built(exports: Path, tmp_path: Path, place: str, text: str) -> int:
    table, field = place.split()
    quoted = "'''" + text + "'''"
    line = f"where = {quoted}" if field == "where" else f"derive = {{ made = {quoted} }}"
    spec = exports / f"{tmp_path.name}.toml"
    spec.write_text(SPEC.format(**{"cohort": "", "modality": "", table: line}))
    try:
        return main(["build", str(spec), "--out", str(tmp_path / "graph"), "--quiet"])
    finally:
        spec.unlink()


def everything(*folders: Path) -> set[Path]:
    return {path for folder in folders for path in folder.rglob("*")}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_refused_and_nothing_is_written(
    exports: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    attack: str,
    place: str,
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    before = everything(exports, tmp_path)
    text, word = ATTACKS[attack]
    text = text.format(out=tmp_path)
    assert built(exports, tmp_path, place, text) == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert word in message.replace(repr(text), "")  # the reason names it, not only the quotation
    assert "root:" not in message
    assert everything(exports, tmp_path) == before


@pytest.mark.parametrize("place", PLACES)
def test_an_honest_expression_builds(exports: Path, tmp_path: Path, place: str) -> None:
    assert built(exports, tmp_path, place, "pid IS NOT NULL -- a comment, and a ; in it") == 0


def test_rows_are_what_they_were_under_any_taken_expression(exports: Path, tmp_path: Path) -> None:
    from gdsfd.cohort.build import build_cohort
    from gdsfd.cohort.spec import load_spec

    spec = exports / "rows.toml"
    spec.write_text(SPEC.format(cohort="", modality="where = \"wbc > 3 AND lower(unit) = 'icu'\""))
    receipt = build_cohort(load_spec(spec)).receipt.modalities[0]
    table = pd.read_csv(exports / "labs.csv")
    assert receipt.rows_read == len(table) == receipt.rows_kept + sum(drop.rows for drop in receipt.drops)
    assert receipt.rows_kept == int(((table["wbc"] > 3) & (table["unit"] == "ICU")).sum())
