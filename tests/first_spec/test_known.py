"""How sources, reasons and joined ids are written."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest

from gdsfd.errors import InputError
from gdsfd.first_spec.find_exports import Place
from gdsfd.first_spec.known import joined_parts, reasons, written
from gdsfd.first_spec.sample import ExportTable
from tests.first_spec.tables import table_of


def test_reasons_are_grouped():
    assert reasons({"a": "a key", "b": "a time", "c": "a key"}) == "a, c (a key); b (a time)"


def test_paths_are_relative_where_that_is_near():
    table = table_of("labs", id=[1])
    for base, source in (
        ("/exports", "labs.csv"),
        ("/specs", "../exports/labs.csv"),
        ("/a/b/c/d/e", "/exports/labs.csv"),
    ):
        assert written(table, SimpleNamespace(base_dir=Path(base))) == source


def test_a_path_that_reads_as_a_variable_is_refused():
    place = Place("x", ("/a/${HOME}/x.csv",), "/a/${HOME}/x.csv")
    with pytest.raises(InputError, match="rename"):
        written(ExportTable(place, table_of("x", id=[1]).rows), SimpleNamespace(base_dir=Path("/a")))


def test_parts_of_an_id_stay_as_written():
    sql = joined_parts(table_of("v", RID=["007"], VISCODE=["bl"]), ("rid", "viscode"))
    row = "SELECT '007' AS RID__text, 'bl' AS VISCODE__text"
    assert duckdb.sql(f"SELECT {sql} FROM ({row})").fetchall() == [("007_bl",)]
