from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.spec import CohortSpec
from gdsfd.errors import InputError
from tests.cohort.formats.tiny import a_lab_a_day, two_labels_each, write_tiny_meds

AT = "2020-01-01"


def spec_of(folder: Path, **cohort) -> CohortSpec:
    fields = {"format": "meds", "source": ".", "labels": "labels.parquet", **cohort}
    return CohortSpec(cohort=fields, base_dir=folder)


def test_numbers_codes_texts_and_static_rows(tmp_path: Path) -> None:
    columns = ("subject_id", "time", "code", "numeric_value", "text_value")
    events = [(*row, None) for row in a_lab_a_day()]
    for person in range(12):
        events += [
            (person, AT, "LAB//culture", None, "positive" if person % 2 else "negative"),
            (person, AT, "LAB//culture", None, "x" * 65),
            (person, None, "SEX//F", None, None),
        ]
    write_tiny_meds(tmp_path / "d", events, two_labels_each(), columns=columns)
    cohort = build_cohort(spec_of(tmp_path / "d"), progress=False)
    fields = {fields.name: fields for fields in cohort.schema.modalities}
    assert list(fields) == ["static", "lab", "lab_codes"]
    assert (fields["lab"].items, fields["lab"].steps) == (("LAB//x",), 1)
    assert set(fields["lab_codes"].codes) == {"LAB//culture", "LAB//culture//positive", "LAB//culture//negative"}
    assert fields["static"].codes == ("SEX//F",)
    assert cohort.schema.outcomes[0].name == "labels"


def test_births_are_ages(tmp_path: Path) -> None:
    """Of one person the age is another at each label; a birth more than 100 years before is one, too."""
    births = [(person, f"{1915 + 5 * person}-01-02 12:00", "MEDS_BIRTH", None) for person in range(12)]
    write_tiny_meds(tmp_path / "d", [*a_lab_a_day(), *births], two_labels_each())
    spec = spec_of(tmp_path / "d")
    assert [modality.name for modality in spec.modality] == ["age", "lab"]
    cohort = build_cohort(spec, progress=False)
    age = cohort.observations["age"]
    assert cohort.schema.modalities[0].items == ("age",)
    assert len(age.patient) == 24
    days = [(datetime(2020, 1, day) - datetime(1915 + 5 * person, 1, 2)).days for person in range(12) for day in (2, 4)]
    np.testing.assert_allclose(age.summary[:, 1], np.array(days) / 365.25, rtol=1e-6)
    assert not [found for found in cohort.receipt.findings if found.where.startswith("age")]
    only = spec_of(tmp_path / "d", vocabulary={"years": "MEDS_BIRTH"})
    assert [(each.name, each.elapsed) for each in only.modality] == [("years", "years")]


def test_units_that_the_data_set_declares_are_never_mixed(tmp_path: Path) -> None:
    columns = ("subject_id", "time", "code", "numeric_value", "unit")
    events = [(*row, "mg" if row[0] % 2 else "g") for row in a_lab_a_day()]
    folder = write_tiny_meds(tmp_path / "d", events, two_labels_each(), columns=columns)
    (folder / "metadata" / "dataset.json").write_text(json.dumps({"code_modifier_columns": ["unit", "none"]}))
    cohort = build_cohort(spec_of(folder), progress=False)
    assert cohort.schema.modalities[0].items == ("LAB//x//g", "LAB//x//mg")


def test_the_splits_of_the_data_set(tmp_path: Path) -> None:
    splits = {person: ["train", "tuning", "held_out"][max(0, person - 9)] for person in range(12)}
    write_tiny_meds(tmp_path / "d", a_lab_a_day(), two_labels_each(), splits)
    cohort = build_cohort(spec_of(tmp_path / "d"), progress=False)
    assert cohort.split[::2] == ["train"] * 10 + ["tuning", "test"]


def test_data_without_numbers(tmp_path: Path) -> None:
    events = [(person, AT, f"DX//{person % 2}") for person in range(12)]
    write_tiny_meds(tmp_path / "d", events, two_labels_each(), columns=("subject_id", "time", "code"))
    (modality,) = spec_of(tmp_path / "d").modality
    assert (modality.name, modality.kind, modality.where) == ("dx", "codes", "starts_with(code, 'DX//')")


def test_what_is_no_meds_data_set(tmp_path: Path) -> None:
    write_tiny_meds(tmp_path / "a", [(1, AT, "X", 1.0)], two_labels_each(), columns=("id", "time", "code", "v"))
    with pytest.raises(InputError, match=r"no column 'subject_id', which MEDS's data have"):
        spec_of(tmp_path / "a")
    strangers = [(person + 100, *rest) for person, *rest in a_lab_a_day()]
    write_tiny_meds(tmp_path / "b", strangers, two_labels_each())
    with pytest.raises(InputError, match=r"no event of a person of the labels .* are they of the same data set"):
        spec_of(tmp_path / "b")


def test_a_label_twice_is_refused(tmp_path: Path) -> None:
    labels = pd.concat([two_labels_each(), two_labels_each().head(1)])
    write_tiny_meds(tmp_path / "d", a_lab_a_day(), labels)
    with pytest.raises(InputError, match=r"patient ids must be unique.*'0@2020-01-02 12:00:00'"):
        build_cohort(spec_of(tmp_path / "d"), progress=False)
