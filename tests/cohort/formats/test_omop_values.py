"""What ``concept`` says of the rows that count, label by label."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gdsfd.cohort.formats.label_file import read_label_file
from gdsfd.cohort.formats.omop_values import values_before
from tests.cohort.formats.tiny import write_tiny_omop

#: Of each of twelve people: a lab on 1, 3 and 5 January at 10 o'clock, by concept 1, 2 and 9.
MEASUREMENT = {
    "person_id": list(range(12)) * 3,
    "measurement_concept_id": [1] * 12 + [2] * 12 + [9] * 12,
    "measurement_datetime": ["2020-01-01 10:00"] * 12 + ["2020-01-03 10:00"] * 12 + ["2020-01-05 10:00"] * 12,
    "value_as_number": [1.0] * 30 + [""] * 6,
}
CONCEPT = {"concept_id": [1, 2], "vocabulary_id": ["LOINC", "Local"]}


def counted(folder: Path, window: tuple[float, float], measurement: dict[str, list[Any]] = MEASUREMENT) -> Any:
    write_tiny_omop(folder, {"measurement": measurement, "concept": CONCEPT})
    key = "measurement_concept_id"
    entry = {
        "name": "lab",
        "kind": "events",
        "source": "measurement.csv",
        "id": "person_id",
        "match": "subject",
        "where": "value_as_number IS NOT NULL",
        "derive": {"at": "CAST(measurement_datetime AS TIMESTAMP)"},
        "time": "at",
        "origin": "prediction_time",
        "window": list(window),
        "bin": 1440,
        "item": key,
        "value": "value_as_number",
    }
    moments = read_label_file("labels.csv", folder).moments
    return values_before([entry], {"lab": key}, "concept.csv", "vocabulary_id", moments, window, folder)["lab"]


def test_a_row_counts_once_for_each_label_that_it_is_before(tmp_path: Path) -> None:
    """Labels are at noon of 2 and 4 January."""
    assert counted(tmp_path, (-14400, 0)) == {"LOINC": 24, "Local": 12}
    assert counted(tmp_path, (-14400, 2880)) == {"LOINC": 24, "Local": 24, None: 6}
    assert counted(tmp_path, (-1560, 0)) == {"LOINC": 0 + 12, "Local": 12}
    assert counted(tmp_path, (-60, 0)) == {}


def test_only_people_with_labels_count(tmp_path: Path) -> None:
    strangers = {**MEASUREMENT, "person_id": list(range(6)) * 2 + list(range(50, 74))}
    assert counted(tmp_path, (-14400, 0), strangers) == {"LOINC": 24}
