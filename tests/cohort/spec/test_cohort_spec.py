from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from gdsfd.cohort.spec import CodesSpec, CohortSpec, CohortTable, EventsSpec, OutcomeSpec, TableSpec, load_spec
from gdsfd.errors import InputError, SpecError
from tests.cohort.spec.specs import BASE, made

EXAMPLE = """
[cohort]
source = "patient.csv.gz"
id = "patientunitstayid"
subject = "uniquepid"
environment = "hospitalid"
groups = ["gender", "ethnicity"]
where = "unitdischargeoffset >= 720"
[outcome]
name = "mortality"
column = "hospitaldischargestatus"
positive = "Expired"
negative = "Alive"
[split]
kind = "subject"
fractions = [0.7, 0.1, 0.2]
seed = 0
[[modality]]
name = "apache"
kind = "table"
source = "apacheApsVar.csv.gz"
id = "patientunitstayid"
columns = ["wbc", "temperature"]
missing = [-1]
[[modality]]
name = "vitals"
kind = "events"
source = "vitalAperiodic.csv.gz"
id = "patientunitstayid"
time = "observationoffset"
window = [0, 1440]
bin = 60
item = "labname"
value = "labresult"
min_count = 50
[[modality]]
name = "diagnosis"
kind = "codes"
source = "diagnosis.csv.gz"
id = "patientunitstayid"
code = "diagnosisstring"
[[modality]]
name = "note"
kind = "embedding"
source = "note_embeddings.parquet"
id = "patientunitstayid"
columns = "e_*"
"""


def test_the_documented_example_is_read(tmp_path: Path) -> None:
    (tmp_path / "cohort.toml").write_text(EXAMPLE)
    spec = load_spec(tmp_path / "cohort.toml")
    assert spec.base_dir == tmp_path.resolve()
    assert [modality.kind for modality in spec.modality] == ["table", "events", "codes", "embedding"]
    assert spec.cohort.environment == ["hospitalid"]
    vitals = spec.modality[1]
    assert isinstance(vitals, EventsSpec)
    assert (vitals.window, vitals.bin, vitals.min_count) == ((0, 1440), 60, 50)
    assert json.loads(json.dumps(spec.to_dict()))["modality"][3]["columns"] == "e_*"


def test_single_entries_and_models_are_taken_as_lists() -> None:
    spec = CohortSpec(
        cohort=CohortTable(source="patient.csv", id="stay"),
        outcome=OutcomeSpec(name="death", column="status", positive=1),
        modality=[
            TableSpec(name="a", source="a.csv", id="stay"),
            CodesSpec(name="b", source="b.csv", id="stay", code="c"),
        ],
    )
    assert len(spec.outcome) == 1
    assert spec.outcome[0].positive == [1]
    assert [modality.name for modality in spec.modality] == ["a", "b"]


def test_a_stored_spec_names_the_type_of_a_data_frame() -> None:
    frame = pd.DataFrame({"stay": [1]})
    spec = made(cohort={"source": frame, "id": "stay"})
    assert spec.cohort.source is frame
    assert spec.to_dict()["cohort"]["source"] == "<DataFrame>"
    json.dumps(spec.to_dict())


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"modality": [BASE["modality"], BASE["modality"]]}, "modality names must differ, got 'labs'"),
        (
            {"outcome": [BASE["outcome"], {"name": "e", "column": "c", "classes": ["a", "b"]}]},
            "several outcomes must all be binary",
        ),
        ({"split": {"kind": "environment", "holdout": "x"}}, "needs cohort.environment"),
    ],
)
def test_parts_that_do_not_fit_together(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        made(**fields)


def test_files_that_are_no_spec(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none.toml cannot be read: No such file"):
        load_spec(tmp_path / "none.toml")
    path = tmp_path / "bad.toml"
    path.write_text("[cohort\n")
    with pytest.raises(SpecError, match=r"bad.toml is not valid TOML: .*line 1"):
        load_spec(path)
    path.write_text("a = " + "1" * 5000)  # Python reads no whole number of so many digits
    with pytest.raises(SpecError, match="is not valid TOML"):
        load_spec(path)
    path.write_text("a = " + "[" * 5000 + "]" * 5000)
    with pytest.raises(SpecError, match="is not valid TOML"):
        load_spec(path)
    path.write_bytes("a = 'caf\xe9'".encode("latin1"))
    with pytest.raises(SpecError, match="is not UTF-8"):
        load_spec(path)
    path.write_text(EXAMPLE.replace("missing = [-1]", "misssing = [-1]"))
    with pytest.raises(
        SpecError, match=r"bad.toml: modality\[0\] \('apache'\).misssing: unknown key. Did you mean 'missing'"
    ):
        load_spec(path)
