from __future__ import annotations

from pathlib import Path

import pytest

from gdsfd.cohort.formats.label_file import read_label_file
from gdsfd.cohort.formats.meds_groups import find_sorts
from gdsfd.cohort.formats.request import read_request
from gdsfd.errors import InputError
from tests.cohort.formats.tiny import MEDS_COLUMNS, two_labels_each, write_tiny_meds

AT, LATE = "2020-01-01", "2021-01-01"


def sorts_of(folder: Path, events: list, **fields):
    write_tiny_meds(folder, events, two_labels_each())
    cohort = {"format": "meds", "source": ".", "labels": "labels.parquet", **fields}
    request, _ = read_request(cohort, folder)
    moments = read_label_file("labels.parquet", folder).moments
    return find_sorts(request, [str(folder / "data" / "0.parquet")], MEDS_COLUMNS, moments)


def rows(code: str, time: str | None, value: float | None, count: int = 10) -> list:
    return [(person, time, code, value) for person in range(count)]


def test_groups_are_what_stands_before_the_slashes(tmp_path: Path) -> None:
    events = [
        *rows("LAB//a", AT, 1.0), *rows("LAB//b", AT, None), *rows("HR", AT, 60.0), *rows("SEX//F", None, None),
        *rows("AGE", None, 70.0), *rows("MEDS_BIRTH", "1950-01-01", None), *rows("MEDS_DEATH", AT, None),
        *rows("LATE//x", LATE, None), *rows("RARE//x", AT, None, 2),
    ]  # fmt: skip
    sorts, notes = sorts_of(tmp_path / "d", events)
    assert [(sort.group, sort.kind, sort.static) for sort in sorts] == [
        ("age", "age", False), ("static", "events", True), ("static", "codes", True), ("lab", "events", False),
        ("lab", "codes", False), ("other", "events", False),
    ]  # fmt: skip
    assert len(notes) == 1
    assert "RARE (codes): 4 rows before the prediction times are too few" in notes[0]


def test_only_events_of_people_with_labels_before_them_count(tmp_path: Path) -> None:
    strangers = [(person, AT, "LAB//x", 1.0) for person in range(50, 90)]
    assert sorts_of(tmp_path / "d", [*strangers, *rows("DX//x", AT, None)])[0][0].group == "dx"


def test_what_the_user_says_a_group_is_does_not_depend_on_the_data(tmp_path: Path) -> None:
    said = {"lab": {"prefix": "LAB//", "kind": "events", "static": False}, "dx": {"prefix": "DX//", "kind": "codes"}}
    sorts, _ = sorts_of(tmp_path / "d", rows("LAB//a", AT, None), vocabulary=said)
    assert [(sort.group, sort.kind, sort.static, sort.all_rows) for sort in sorts] == [
        ("lab", "events", False, False),
        ("dx", "codes", False, True),
    ]


def test_a_prefix_with_a_quote_stays_a_text(tmp_path: Path) -> None:
    sorts, _ = sorts_of(tmp_path / "d", rows("O'X//a", AT, 1.0), vocabulary={"o": "O'X//"})
    assert sorts[0].condition == "starts_with(code, 'O''X//')"


def test_too_many_beginnings_are_no_groups(tmp_path: Path) -> None:
    events = [row for number in range(70) for row in rows(f"C{number}//x", AT, 1.0)]
    with pytest.raises(InputError, match=r"begin in 70 ways .* too many .*vocabulary = "):
        sorts_of(tmp_path / "d", events)
