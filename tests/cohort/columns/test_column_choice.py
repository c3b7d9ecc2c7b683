"""Which columns are taken: names, patterns, the default, and what is taken only by name."""

from __future__ import annotations

from typing import Any

import pytest

from gdsfd.cohort.columns.column_choice import ColumnChoice, matching_columns, table_columns
from gdsfd.cohort.sources.sources import View
from gdsfd.cohort.spec import TableSpec
from gdsfd.errors import InputError

COLUMNS = ("pid", "minute", "Site", "died", "hr", "hr_max", "hr_min", "unit", "e_0")
VIEW = View(None, "labs.csv", ["labs.csv"], COLUMNS, 0, 0)
#: What the cohort table uses; upper and lower case are alike in a database.
OWN = ("PID", "site", "died")


def taken(**fields: Any) -> ColumnChoice:
    return table_columns(VIEW, TableSpec(name="labs", source="labs.csv", id="pid", time="minute", **fields), OWN)


@pytest.mark.parametrize(
    ("fields", "columns", "by_name", "withheld"),
    [
        ({}, ["hr", "hr_max", "hr_min", "unit", "e_0"], [], ["Site", "died"]),
        ({"columns": ["hr", "unit"]}, ["hr", "unit"], ["hr", "unit"], []),
        ({"columns": "hr*"}, ["hr", "hr_max", "hr_min"], [], []),
        ({"columns": ["unit", "hr*", "hr"]}, ["unit", "hr", "hr_max", "hr_min"], ["hr", "unit"], []),
        ({"columns": ["*", "Site"]}, [*COLUMNS[4:], "Site"], ["Site"], ["died"]),
        ({"columns": ["pid", "minute"]}, ["pid", "minute"], ["pid", "minute"], []),  # what is named is taken
        ({"exclude": ["hr_*", "died"]}, ["hr", "unit", "e_0"], [], ["Site"]),
        ({"exclude": "hr"}, ["hr_max", "hr_min", "unit", "e_0"], [], ["Site", "died"]),
        ({"columns": "e_*", "categorical": "Site"}, ["e_0", "Site"], ["Site"], []),
        ({"categorical": "died"}, [*COLUMNS[4:], "died"], ["died"], ["Site"]),
    ],
)
def test_columns_of_a_table(
    fields: dict[str, Any], columns: list[str], by_name: list[str], withheld: list[str]
) -> None:
    found = taken(**fields)
    assert sorted(found.columns) == sorted(columns)
    if "columns" in fields and "*" not in fields["columns"]:
        assert found.columns == columns  # in the order of the spec
    assert found.by_name == set(by_name)
    assert found.withheld == withheld


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"columns": ["hrr"]}, r"labs.csv has no column 'hrr' \(columns of modality 'labs'\)\. Did you mean 'hr'"),
        ({"columns": "x_*"}, r"labs.csv: no column matches 'x_\*' \(columns of modality 'labs'\)"),
        ({"numeric": "wbc"}, r"no column 'wbc' \(numeric or categorical of modality 'labs'\)"),
        ({"exclude": "wbc"}, r"no column 'wbc' \(exclude of modality 'labs'\)"),
        ({"columns": "e_*", "exclude": "e_0"}, r"modality 'labs': no column of labs.csv is left to take$"),
        (
            {"numeric": "hr", "exclude": "h*"},
            r"'hr' of labs.csv stand under numeric or categorical, and exclude = 'h\*'",
        ),
        ({"categorical": ["unit"], "exclude": ["e_0", "unit"]}, r"'unit' of labs.csv stand .* leaves them out; keep"),
        ({"columns": "[Sd]i[te]*"}, r"left to take besides 'Site', 'died', which the cohort table uses"),
    ],
)
def test_what_is_not_there_or_not_left(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        taken(**fields)


def test_patterns_of_other_kinds_pass_over_their_own_columns_without_a_word() -> None:
    found = matching_columns(VIEW, "*", "values of modality 'm'", ["pid", None], ["site"])
    assert found.columns == [name for name in COLUMNS if name not in ("pid", "Site")]
    assert found.withheld == ["Site"]
    assert found.by_name == frozenset()
