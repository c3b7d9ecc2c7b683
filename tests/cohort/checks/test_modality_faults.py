"""Everything that is wrong with a modality."""

from __future__ import annotations

import pandas as pd
import pytest

from gdsfd.cohort.checks.modality_faults import modality_faults
from gdsfd.cohort.patients.cohort_table import read_cohort_table
from gdsfd.cohort.sources.sources import Sources
from gdsfd.cohort.spec.column_needs import needs_of_spec
from tests.cohort.small_exports import events, labs, spec

LABS = {"name": "labs", "kind": "table", "source": labs(), "id": "pid", "missing": [-1], "min_level_count": 1}
LONG = {"name": "chart", "kind": "events", "source": events(), "id": "pid", "item": "item", "value": "value"}


def look(modality, with_patients=True):
    given = spec(modality)
    with Sources(given.base_dir, needs_of_spec(given)) as sources:
        rows = read_cohort_table(given, sources) if with_patients else None
        return modality_faults(given.modality[0], sources, rows)


@pytest.mark.parametrize("modality", [LABS, {**LONG, "time": "minute", "window": [0, 1440]}])
def test_a_right_one_is_read(modality):
    found = look(modality)
    assert found.told == []
    assert found.receipt.rows_kept > 0


def test_every_missing_column_is_told_with_near_names_without_patients_too():
    for with_patients in (True, False):
        found = look({**LABS, "columns": ["wcb", "unit", "unti*"], "categorical": ["unt"]}, with_patients)
        assert len(found.told) == 2
        assert "Did you mean 'wbc'?" in found.told[0]
        assert "'unt'" in found.told[1]


def test_a_bad_time_does_not_hide_bad_numbers():
    table = events().assign(minute="03/04/2020", value="a lot")
    found = look({**LONG, "source": table, "time": "minute"})
    assert len(found.told) == 2
    assert "times that cannot be read" in found.told[0]
    assert "not numbers" in found.told[1]


def test_wrong_sql_does_not_hide_missing_columns():
    found = look({**LONG, "where": "valu > 3", "item": "itm", "derive": {"derived": "value"}, "time": "derived"})
    assert len(found.told) == 2
    assert "valu" in found.told[0]
    assert "'itm'" in found.told[1]


def test_ids_that_match_nothing_and_files_that_are_not_there():
    found = look({**LABS, "source": pd.DataFrame({"pid": ["x", "y"], "wbc": [1, 2]})})
    assert len(found.told) == 1
    assert "id not in the cohort" in found.told[0]
    assert "does not exist" in look({**LABS, "source": "nowhere.csv"}).told[0]
