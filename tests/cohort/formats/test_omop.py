from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.cohort import Cohort
from gdsfd.cohort.spec import CohortSpec
from gdsfd.errors import InputError, SpecError
from tests.cohort.formats.tiny import write_tiny_omop

PEOPLE = list(range(12)) * 2
MEASUREMENT = {
    "person_id": PEOPLE,
    "measurement_concept_id": [3000] * 24,
    "measurement_date": ["2020-01-01"] * 24,
    "measurement_datetime": ["2020-01-01 10:00:00"] * 24,
    "value_as_number": [1.0] * 12 + [2.0] * 12,
    "unit_concept_id": [8840] * 12 + [""] * 12,
}
CONDITION = {
    "person_id": PEOPLE,
    "condition_concept_id": [201] * 12 + [202] * 12,
    "condition_start_date": ["2020-01-01"] * 12 + ["2020-01-02"] * 12,
}


def spec_of(folder: Path, tables: dict, **cohort) -> CohortSpec:
    write_tiny_omop(folder, tables)
    fields = {"format": "omop", "source": ".", "labels": "labels.csv", **cohort}
    return CohortSpec(cohort=fields, base_dir=folder)


def seen(cohort: Cohort, name: str) -> dict[str, list[str]]:
    """Patient -> codes."""
    observed = cohort.observations[name]
    codes = next(fields.codes for fields in cohort.schema.modalities if fields.name == name)
    return {
        cohort.id[patient]: sorted(codes[code - 2] for code in observed.code[observed.ptr[k] : observed.ptr[k + 1]])
        for k, patient in enumerate(observed.patient)
    }


def test_units_are_never_mixed(tmp_path: Path) -> None:
    cohort = build_cohort(spec_of(tmp_path, {"measurement": MEASUREMENT}), progress=False)
    assert cohort.schema.modalities[0].items == ("3000", "3000//8840")
    assert cohort.observations["measurement"].summary[:2, 1].tolist() == [2.0, 1.0]


def test_a_date_alone_counts_as_the_end_of_its_day(tmp_path: Path) -> None:
    """Labels are at noon: what bears the day's date may have been recorded after it."""
    cohort = build_cohort(spec_of(tmp_path, {"condition_occurrence": CONDITION}), progress=False)
    assert seen(cohort, "condition")["0@2020-01-02 12:00:00"] == ["201"]
    assert seen(cohort, "condition")["0@2020-01-04 12:00:00"] == ["201", "202"]


def test_answers_stand_behind_their_questions_and_concept_0_is_none(tmp_path: Path) -> None:
    observation = {
        "person_id": PEOPLE + list(range(12)),
        "observation_concept_id": [40] * 24 + [0] * 12,
        "observation_date": ["2020-01-01"] * 36,
        "value_as_concept_id": [45] * 12 + [0] * 24,
        "value_as_string": [""] * 12 + ["often"] * 24,
    }
    cohort = build_cohort(spec_of(tmp_path, {"observation": observation}), progress=False)
    assert seen(cohort, "observation")["3@2020-01-02 12:00:00"] == ["40//45", "40//often"]
    assert cohort.receipt.modalities[0].drops[0].rows == 24  # of twelve people, each two patients


def test_tables_without_rows_are_left_out(tmp_path: Path) -> None:
    empty = {column: [] for column in CONDITION}
    spec = spec_of(tmp_path, {"measurement": MEASUREMENT, "condition_occurrence": empty})
    assert [modality.name for modality in spec.modality] == ["measurement"]


def test_what_is_said_of_a_person_can_be_a_group_and_is_no_input(tmp_path: Path) -> None:
    spec = spec_of(tmp_path, {"measurement": MEASUREMENT}, groups=["gender_concept_id"])
    assert build_cohort(spec, progress=False).groups["gender_concept_id"][:4] == ["8507", "8507", "8532", "8532"]
    sex = {"sex": {"table": "person", "kind": "codes"}}
    asked = spec_of(tmp_path / "b", {"measurement": MEASUREMENT}, vocabulary=sex)
    assert seen(build_cohort(asked, progress=False), "sex")["1@2020-01-02 12:00:00"] == ["8532"]


def test_births_are_ages_as_well_as_they_are_known(tmp_path: Path) -> None:
    person = {
        "person_id": list(range(12)),
        "year_of_birth": [1950] * 12,
        "month_of_birth": ["", 3] * 6,
        "day_of_birth": ["", "", 9] * 4,
        "birth_datetime": ["", "", "", *["1960-01-02 12:00:00"] * 9],
    }
    for case, columns in (("all", tuple(person)), ("year", ("person_id", "year_of_birth"))):
        given = {name: person[name] for name in columns}
        spec = spec_of(tmp_path / case, {"person": given, "measurement": MEASUREMENT})
        assert [modality.name for modality in spec.modality] == ["measurement", "age"]
        age = build_cohort(spec, progress=False).observations["age"].summary[::2, 1]
        at = datetime(2020, 1, 2, 12)
        born = [datetime(1950, 7, 1), datetime(1950, 3, 1), datetime(1950, 7, 9), datetime(1960, 1, 2, 12)]
        if case == "year":
            born = [datetime(1950, 7, 1)] * 4
        expected = [(at - each).total_seconds() / 86400 / 365.25 for each in born]
        np.testing.assert_allclose(age[:4], expected, rtol=1e-6)


def test_tables_that_are_not_as_omop_has_them(tmp_path: Path) -> None:
    lacking = {name: cells for name, cells in MEASUREMENT.items() if name != "value_as_number"}
    with pytest.raises(InputError, match=r"measurement.csv has no column 'value_as_number' .vocabulary.measurement"):
        spec_of(tmp_path / "a", {"measurement": lacking})
    timeless = {name: cells for name, cells in MEASUREMENT.items() if not name.startswith("measurement_date")}
    with pytest.raises(InputError, match=r"neither 'measurement_datetime' nor 'measurement_date'"):
        spec_of(tmp_path / "b", {"measurement": timeless})
    with pytest.raises(SpecError, match=r"vocabulary.x: 'death' is no table that can be a modality"):
        spec_of(tmp_path / "c", {"measurement": MEASUREMENT, "death": {"person_id": [1]}}, vocabulary={"x": "death"})
    with pytest.raises(InputError, match=r"no table that can be a modality has rows"):
        spec_of(tmp_path / "d", {"death": {"person_id": [1]}})


def test_midnight_is_a_time_that_is_not_known(tmp_path: Path) -> None:
    """The common data model asks for midnight where a source has no time of day: perhaps after the prediction."""
    dated = {
        **CONDITION,
        "condition_start_datetime": [f"{day} 00:00:00" for day in CONDITION["condition_start_date"]],
    }
    cohort = build_cohort(spec_of(tmp_path / "a", {"condition_occurrence": dated}), progress=False)
    assert seen(cohort, "condition")["0@2020-01-02 12:00:00"] == ["201"]
    assert seen(cohort, "condition")["0@2020-01-04 12:00:00"] == ["201", "202"]
    del dated["condition_start_date"]
    alone = build_cohort(spec_of(tmp_path / "b", {"condition_occurrence": dated}), progress=False)
    assert seen(alone, "condition") == seen(cohort, "condition")


def test_times_with_an_offset_beside_labels_without_one(tmp_path: Path) -> None:
    """Noon in Berlin is 11:00 in UTC: what was seen at 11:30 UTC was seen after the prediction."""
    write_tiny_omop(tmp_path, {})
    at = pd.to_datetime(["2020-01-02 10:30"] * 12 + ["2020-01-02 11:30"] * 12, utc=True)
    frame = pd.DataFrame({**CONDITION, "condition_start_datetime": at})
    frame.to_parquet(tmp_path / "condition_occurrence.parquet")
    fields = {"format": "omop", "source": ".", "labels": "labels.csv"}
    with pytest.raises(InputError, match=r"stored with an offset from UTC, .* zone = .Europe/Berlin."):
        CohortSpec(cohort=fields, base_dir=tmp_path)
    for zone, codes in (("Europe/Berlin", ["201"]), ("UTC", ["201", "202"])):
        cohort = build_cohort(CohortSpec(cohort={**fields, "zone": zone}, base_dir=tmp_path), progress=False)
        assert seen(cohort, "condition")["0@2020-01-02 12:00:00"] == codes
    with pytest.raises(SpecError, match=r"expected the name of a time zone, .* got 'Europe/Berlim'.*Europe/Berlin"):
        CohortSpec(cohort={**fields, "zone": "Europe/Berlim"}, base_dir=tmp_path)


def test_texts_with_an_offset_are_not_taken_for_local_times(tmp_path: Path) -> None:
    zoned = {**CONDITION, "condition_start_datetime": ["2020-01-02 10:30:00+01:00"] * 24}
    for columns in (zoned, {name: cells for name, cells in zoned.items() if name != "condition_start_date"}):
        with pytest.raises(SpecError, match="'condition_start_datetime' holds times with an offset from UTC"):
            build_cohort(spec_of(tmp_path, {"condition_occurrence": columns}), progress=False)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_answers_that_are_numbers_keep_their_spelling(tmp_path: Path, suffix: str) -> None:
    """Else those of one patient alone, all numbers, would be other codes than in the cohort."""
    observation = {
        "person_id": PEOPLE,
        "observation_concept_id": [40] * 24,
        "observation_date": ["2020-01-01"] * 24,
        "value_as_string": ["2.50", "3.00"] * 12,
    }
    write_tiny_omop(tmp_path, {"observation": observation} if suffix == "csv" else {})
    if suffix == "parquet":
        pd.DataFrame(observation).to_parquet(tmp_path / "observation.parquet")
    fields = {"format": "omop", "source": ".", "labels": "labels.csv"}
    cohort = build_cohort(CohortSpec(cohort=fields, base_dir=tmp_path), progress=False)
    assert seen(cohort, "observation")["3@2020-01-02 12:00:00"] == ["40//3.00"]
    assert not any(finding.kind == "spelling" for finding in cohort.receipt.findings)
