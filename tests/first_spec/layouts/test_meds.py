"""MEDS: shards of events before the prediction time of each label."""

from __future__ import annotations

import tomllib
from pathlib import Path

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.spec import load_spec
from gdsfd.first_spec.init_spec import init_spec
from gdsfd.first_spec.layouts.meds import MEDS
from tests.first_spec.layouts.public_layouts import PATIENTS, meds


def test_events_up_to_the_prediction(tmp_path: Path) -> None:
    made = init_spec(meds(tmp_path), "boolean_value", out=tmp_path / "spec.toml")
    assert MEDS.title in made.text
    read = tomllib.loads(made.text)
    assert read["cohort"]["id"] == "subject_id"
    (events,) = read["modality"]
    assert (events["kind"], events["item"], events["value"]) == ("events", "code", "numeric_value")
    assert (events["time"], events["origin"], events["window"][1]) == ("time", "prediction_time", 0)
    assert events["source"] == "data/*/*.parquet"
    cohort = build_cohort(load_spec(tmp_path / "spec.toml"), progress=False)
    assert len(cohort) == PATIENTS
    (described,) = cohort.schema.modalities
    assert set(described.items) == {"LAB//lactate", "LAB//sodium"}
