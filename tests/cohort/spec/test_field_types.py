"""Types of the spec's fields: lists of one, texts of numbers, sources, SQL that is read before any file is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from gdsfd.cohort.spec.field_types import as_texts, listed
from gdsfd.errors import SpecError
from tests.cohort.spec.specs import BASE, made


def test_what_is_no_list_becomes_one() -> None:
    assert listed("abc") == ["abc"]
    assert listed(["a"]) == ["a"]
    assert listed(("a", 1)) == ("a", 1)
    assert listed(None) == [None]


def test_whole_numbers_become_texts_and_truth_values_do_not() -> None:
    assert as_texts([73, "073", True, 1.5]) == ["73", "073", True, 1.5]
    assert as_texts(420) == ["420"]


@pytest.mark.parametrize("source", [None, True, 3, 1.5, [], ["a.csv"], {}, "", "  "])
def test_what_is_no_source(source: Any) -> None:
    with pytest.raises(SpecError, match=r"cohort.source: expected a path, a glob, a DataFrame or an Ibis table, got"):
        made(cohort={"source": source, "id": "stay"})


@pytest.mark.parametrize("source", ["a.csv", Path("a.csv"), "events/*.parquet", pd.DataFrame()])
def test_what_is_a_source_is_kept_as_it_is(source: Any) -> None:
    assert made(cohort={"source": source, "id": "stay"}).cohort.source is source


@pytest.mark.parametrize(
    ("where", "fields"),
    [
        ("cohort.where", {"cohort": {**BASE["cohort"], "where": "read_text('x') = ''"}}),
        ("cohort.derive", {"cohort": {**BASE["cohort"], "derive": {"age": "read_text('x')"}}}),
        (r"modality\[0\] \('labs'\).where", {"modality": {**BASE["modality"], "where": "read_text('x') = ''"}}),
        (r"modality\[0\] \('labs'\).derive", {"modality": {**BASE["modality"], "derive": {"a": "read_text('x')"}}}),
        (
            r"cohort.join\[0\].derive",
            {
                "cohort": {
                    **BASE["cohort"],
                    "join": {"source": "b.csv", "on": "stay", "columns": "x", "derive": {"a": "read_text('x')"}},
                }
            },
        ),
    ],
)
def test_sql_is_looked_at_wherever_it_stands(where: str, fields: dict[str, Any]) -> None:
    with pytest.raises(SpecError, match=rf"^{where}: .*read_text"):
        made(**fields)
