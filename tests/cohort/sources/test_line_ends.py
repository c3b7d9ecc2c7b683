"""CSV files that end in the middle of a line."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.spec import CohortSpec
from gdsfd.cohort.spec_check import check_spec
from tests.cohort.small_exports import labs, patients

OUTCOME = {"name": "death", "column": "died", "positive": "yes", "negative": "no"}


def told(folder: Path, table: bytes, rows: bytes, name: str = "labs.csv") -> list[str]:
    (folder / "patients.csv").write_bytes(table)
    (folder / name).write_bytes(gzip.compress(rows) if name.endswith("gz") else rows)
    entry = {"name": "labs", "kind": "table", "source": name, "id": "pid", "missing": [-1], "min_level_count": 1}
    fields = {"cohort": {"source": "patients.csv", "id": "pid"}, "outcome": OUTCOME, "modality": entry}
    made = CohortSpec(base_dir=folder, **fields)
    found = [finding for finding in build_cohort(made).receipt.findings if finding.kind == "rows"]
    assert [finding for finding in check_spec(made).warnings if finding.kind == "rows"] == found
    return [f"{finding.where}: {finding.text}" for finding in found]


def csv(frame, newline: str = "\n") -> bytes:
    return frame.to_csv(index=False, lineterminator=newline).encode()


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("name", ["labs.csv", "labs.csv.gz"])
def test_one_file_that_does_not_end_as_the_others_do(tmp_path: Path, newline: str, name: str) -> None:
    table, rows = csv(patients(), newline), csv(labs(), newline)
    assert told(tmp_path, table, rows, name) == []
    (text,) = told(tmp_path, table, rows[: -len(newline) - 1], name)
    assert text.startswith(f"{name}: the file does not end with the end of a line, and patients.csv does: was it cut")


def test_a_program_that_ends_no_file_so_is_not_told_of(tmp_path: Path) -> None:
    table, rows = csv(patients())[:-1], csv(labs())[:-1]
    assert told(tmp_path, table, rows) == []
    assert told(tmp_path, table, rows + b"\n\n") != []  # blank lines at the end of the other one


def test_the_size_of_a_part_of_a_copy(tmp_path: Path) -> None:
    table, rows = csv(patients())[:-1], csv(labs(1000))
    rows = rows[: rows.rindex(b"\n", 0, 4090) + 1]
    rows += b"999,7," + b"w" * (4096 - len(rows) - 6)
    (text,) = told(tmp_path, table, rows)
    assert text.startswith(
        "labs.csv: the file does not end with the end of a line, and its size is a multiple of 4,096"
    )
    assert told(tmp_path, table, rows[:-1]) == []


def test_quotes_inside_cells_and_line_ends_inside_quotes(tmp_path: Path) -> None:
    rows = csv(labs()) + b'900,3,5" tube\n'
    assert told(tmp_path, csv(patients()), rows) == []
    assert len(told(tmp_path, csv(patients()), rows[:-1])) == 1
    assert len(told(tmp_path, csv(patients()), csv(labs()) + b'901,3,"two\n"')) == 1
