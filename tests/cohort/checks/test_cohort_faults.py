"""Everything that is wrong with a cohort table."""

from __future__ import annotations

import pandas as pd
import pytest

from gdsfd.cohort.checks.cohort_faults import read_with_faults
from gdsfd.cohort.sources.sources import Sources
from gdsfd.cohort.spec.column_needs import needs_of_spec
from tests.cohort.small_exports import patients, spec


def faults(given):
    with Sources(given.base_dir, needs_of_spec(given)) as sources:
        rows, told = read_with_faults(given, sources)
        return rows, told, None if rows is None else rows.table.count().execute()


def test_a_right_table_is_read_as_a_build_reads_it():
    rows, told, stored = faults(spec(cohort={"environment": "site", "groups": ["sex"]}))
    assert told == []
    assert stored == len(rows.id) == 40
    assert rows.environment_name == "site"


def test_every_missing_column_is_told():
    given = spec(cohort={"subject": "persn", "groups": ["sx"]}, outcome={"name": "o", "column": "dead", "positive": 1})
    rows, told, stored = faults(given)
    assert len(told) == 3
    assert "'person'" in told[0]
    assert stored == len(rows.id) == 40


def test_repeated_ids_and_two_wrong_outcomes_and_a_wrong_split_are_told_together():
    twice = pd.concat([patients(), patients().head(2)])
    given = spec(
        cohort={"source": twice, "environment": "site"},
        outcome=[
            {"name": "death", "column": "died", "positive": "YES"},
            {"name": "ad", "column": "stage", "positive": "nobody"},
        ],
        split={"kind": "environment", "holdout": ["nowhere"]},
    )
    rows, told, stored = faults(given)
    for words in ("unique", "'YES'", "'ad'", "'nowhere'"):
        assert sum(words in text for text in told) == 1, told
    assert not any("stand-in" in text for text in told)
    assert stored == len(rows.id) == 40


def test_wrong_sql_does_not_hide_the_columns():
    given = spec(cohort={"where": "sit = 'north'", "subject": "persn"})
    rows, told, _ = faults(given)
    assert any("sit" in text and "where" in text for text in told)
    assert any("'persn'" in text for text in told)
    assert rows is not None


@pytest.mark.parametrize("column", ["nothing", "site"])
def test_without_ids_there_are_no_patients(column):
    given = spec(cohort={"source": patients().assign(site=None), "id": column})
    rows, told, _ = faults(given)
    assert rows is None
    assert told
