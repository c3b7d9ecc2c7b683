from __future__ import annotations

from pathlib import Path

import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.formats.expansion import expand, has_format
from gdsfd.cohort.spec import CohortSpec
from gdsfd.errors import InputError, SpecError
from tests.cohort.formats.tiny import a_lab_a_day, two_labels_each, write_tiny_meds


@pytest.fixture
def fields(tmp_path: Path) -> dict:
    write_tiny_meds(tmp_path / "meds", a_lab_a_day(), two_labels_each())
    cohort = {"format": "meds", "source": "meds", "labels": "meds/labels.parquet"}
    return {"cohort": cohort, "base_dir": tmp_path}


def test_a_spec_without_a_format_is_none() -> None:
    assert not has_format({"cohort": {"source": "stays.csv"}})
    assert not has_format({"cohort": [1]})
    assert not has_format({})
    assert has_format({"cohort": {"format": "meds"}})


def test_what_it_stands_for_can_be_written_by_hand(fields) -> None:
    stands_for = expand(fields).fields
    assert "format" not in stands_for["cohort"]
    assert list(stands_for) == ["cohort", "outcome", "base_dir", "modality"]
    assert CohortSpec(**stands_for).to_dict() == CohortSpec(**fields).to_dict()


def test_the_users_fields_win(fields) -> None:
    fields["cohort"] |= {
        "id": "mine", "derive": {"mine": "CAST(subject_id * 10 AS VARCHAR) || CAST(day(prediction_time) AS VARCHAR)"},
        "join": {"source": "more.csv", "on": "subject_id", "columns": ["site"]}, "where": "subject_id > 0",
    }  # fmt: skip
    fields |= {
        "outcome": {"name": "o", "column": "boolean_value", "positive": True},
        "split": {"seed": 3},
        "modality": [
            {"name": "lab", "bin": 60, "window": [-600, 0]},
            {"name": "more", "kind": "table", "source": "more.csv", "id": "subject_id"},
        ],
    }
    spec = CohortSpec(**fields)
    assert (spec.cohort.id, spec.cohort.where, spec.cohort.subject) == ("mine", "subject_id > 0", "subject_id")
    assert set(spec.cohort.derive) == {"patient_at", "mine"}
    assert [join.source for join in spec.cohort.join] == ["more.csv"]
    assert (spec.outcome[0].name, spec.split.seed) == ("o", 3)
    lab, more = spec.modality
    assert (lab.bin, lab.window, lab.item, more.kind) == (60, (-600, 0), "code", "table")


def test_each_label_has_its_own_past(fields) -> None:
    """A person's rows go to each of the person's labels, and only those before it."""
    fields["modality"] = {"name": "lab", "bin": 1440, "window": [-4 * 1440, 0]}
    cohort = build_cohort(CohortSpec(**fields), progress=False)
    assert len(cohort.id) == 24
    assert cohort.id[1] == "0@2020-01-04 12:00:00"
    lab = cohort.observations["lab"]
    seen = {
        cohort.id[patient]: lab.value[lab.ptr[k] : lab.ptr[k + 1]].tolist() for k, patient in enumerate(lab.patient)
    }
    assert seen == {
        f"{person}@2020-01-{day:02d} 12:00:00": [float(each) for each in range(1, day + 1)]
        for person in range(12)
        for day in (2, 4)
    }
    receipt = cohort.receipt.modalities[0]
    assert (receipt.rows_read, receipt.rows_kept, receipt.drops[0].rows) == (120, 12 * (2 + 4), 12 * (3 + 1))
    assert any("counted once for each patient, 120" in note for note in receipt.notes)


@pytest.mark.parametrize(
    ("wrong", "kind", "message"),
    [
        ({"format": "med"}, SpecError, "cohort.format: expected one of .*'med'. Did you mean 'meds'"),
        ({"vocabulry": {}}, SpecError, "vocabulry: unknown key"),
        ({"window": [0, "x"]}, SpecError, "window"),
        ({"vocabulary": {"dx": "DX//"}}, InputError, "vocabulary.dx: no code before .* begins with 'DX//'.*'LAB//x'"),
        ({"source": "nowhere"}, InputError, "nowhere is no folder; format = 'meds' reads"),
        ({"source": "."}, InputError, "has no folder data"),
        ({"labels": "none.parquet"}, InputError, "none.parquet does not exist"),
    ],
)
def test_what_is_wrong_is_told(fields, wrong, kind, message) -> None:
    fields["cohort"] |= wrong
    with pytest.raises(kind, match=message):
        CohortSpec(**fields)


def test_labels_that_say_nothing_need_an_outcome(fields, tmp_path) -> None:
    labels = two_labels_each().drop(columns="boolean_value")
    write_tiny_meds(tmp_path / "other", a_lab_a_day(), labels)
    fields["cohort"] |= {"source": "other", "labels": "other/labels.parquet"}
    with pytest.raises(SpecError, match=r"have no value: say under .outcome. which column is predicted, e.g. name"):
        CohortSpec(**fields)
