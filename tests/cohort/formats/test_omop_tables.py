from __future__ import annotations

from pathlib import Path

import pytest

from gdsfd.cohort.formats.omop_tables import tables_in
from gdsfd.errors import InputError
from tests.cohort.formats.tiny import write_tiny_omop


def test_files_are_known_by_their_names_whatever_their_case(tmp_path: Path) -> None:
    write_tiny_omop(tmp_path / "d", {"MEASUREMENT": {"a": [1]}, "notes.old": {"a": [1]}})
    assert tables_in("d", tmp_path) == {
        "labels": "d/labels.csv",
        "measurement": "d/MEASUREMENT.csv",
        "notes.old": "d/notes.old.csv",
        "person": "d/person.csv",
    }


def test_what_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"neither a folder nor a database; format = 'omop' reads"):
        tables_in("none", tmp_path)
    (tmp_path / "person.txt").write_text("a\n1\n")
    (tmp_path / "PERSON.csv").write_text("a\n1\n")
    with pytest.raises(InputError, match=r"has the table person twice: './PERSON.csv', './person.txt'; keep one"):
        tables_in(".", tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"has no table person, so it is no OMOP database"):
        tables_in("empty", tmp_path)
