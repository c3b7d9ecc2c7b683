"""Names of columns in SQL."""

from __future__ import annotations

import duckdb
import pytest

from gdsfd.first_spec.sql_names import sql_name


@pytest.mark.parametrize("name", ["age", "Größe", "heart rate", "order", "select", 'a"b', "1st", "In-hospital_death"])
def test_a_name_means_the_column_and_nothing_else(name):
    quoted = name.replace('"', '""')
    found = duckdb.sql(f'SELECT {sql_name(name)} FROM (SELECT 7 AS "{quoted}")').fetchall()
    assert found == [(7,)]


def test_plain_names_stay_plain():
    assert sql_name("age") == "age"
