from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.sources.remote_source import is_remote, refuse_remote
from gdsfd.errors import InputError
from tests.cohort.small_exports import labs, spec


@pytest.mark.parametrize("source", ["s3a://icu/labs/", "hdfs://host:8020/x.parquet", "table:icu.labs", "file:///x"])
def test_what_lies_elsewhere(source: str) -> None:
    assert is_remote(source)
    with pytest.raises(InputError, match=r"cohort: source '.*' is a table of a catalogue or a URL, which only Spark"):
        refuse_remote(source, "cohort")


@pytest.mark.parametrize("source", ["labs.csv", "/data/labs/*.parquet", "C:\\labs.csv", Path("labs.csv"), labs(2)])
def test_what_lies_here(source: Any) -> None:
    assert not is_remote(source)
    refuse_remote(source, "cohort")


def test_duckdb_says_who_reads_it() -> None:
    entry = {"name": "labs", "kind": "table", "source": "table:icu.labs", "id": "pid"}
    with pytest.raises(InputError, match=r"modality 'labs': source 'table:icu\.labs' .* build with --engine spark"):
        build_cohort(spec(entry), engine="duckdb")
