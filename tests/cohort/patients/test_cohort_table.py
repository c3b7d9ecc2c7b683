from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from gdsfd.cohort.build import build_cohort
from tests.cohort.small_exports import PATIENTS, patients, spec


def test_order_ids_groups_and_environments() -> None:
    frame = patients().sample(frac=1, random_state=0)
    frame.loc[frame.pid == "005", ["site", "sex"]] = [None, " "]
    cohort = build_cohort(spec(cohort={"source": frame, "environment": ["site", "sex"], "groups": ["sex"]}))
    assert cohort.id == frame.pid.tolist()
    assert cohort.subject == frame.person.tolist()
    row = cohort.id.index("005")
    assert cohort.environment is not None
    assert cohort.environment[row] == "Unknown+Unknown"
    assert cohort.groups["sex"][row] == "Unknown"
    assert cohort.schema.environment == "site+sex"
    assert cohort.schema.groups == ("sex",)
    assert cohort.y.dtype == np.float32
    assert cohort.y[:, 0].tolist() == (frame.died == "yes").astype(float).tolist()
    splits = {}
    for person, split in zip(cohort.subject, cohort.split):
        assert splits.setdefault(person, split) == split


def test_splits_do_not_depend_on_the_order_of_the_table() -> None:
    first = build_cohort(spec())
    again = build_cohort(spec(cohort={"source": patients()[::-1]}))
    assert dict(zip(first.id, first.split)) == dict(zip(again.id, again.split))


def test_subjects_across_the_holdout_are_left_out_with_a_reason() -> None:
    split = {"kind": "environment", "holdout": "north", "fractions": [0.8, 0.2, 0]}
    cohort = build_cohort(spec(cohort={"environment": "site"}, split=split))
    drop = cohort.receipt.cohort.drops[0]
    assert "same subject has a patient inside" in drop.reason
    assert drop.rows == 10
    assert drop.examples == []  # a receipt names nobody unless asked
    shown = build_cohort(spec(cohort={"environment": "site"}, split=split), show_ids=True)
    assert shown.receipt.cohort.drops[0].examples[0] == "001"
    assert Counter(cohort.split)["test"] == 10
    assert len(cohort) == 30
    observed = cohort.observations["labs"]
    assert observed.patient.max() == 29
    assert cohort.receipt.modalities[0].drops[0].reason == "id not in the cohort"


def test_a_blank_subject_is_a_person_of_their_own() -> None:
    frame = patients()
    frame.loc[[0, 2, 4], "person"] = None
    cohort = build_cohort(spec(cohort={"source": frame}))
    assert len(set(cohort.subject)) == 20 + 3
    assert any("3 patients have a blank 'person'" in note for note in cohort.receipt.cohort.notes)


def test_unlabelled_patients_stay() -> None:
    frame = patients()
    frame.loc[[0, 1], "died"] = [None, "unknown"]
    cohort = build_cohort(spec(cohort={"source": frame}))
    assert np.isnan(cohort.y[:2, 0]).all()
    assert len(cohort) == PATIENTS
    classes = build_cohort(spec(outcome={"name": "stage", "column": "stage", "classes": ["CN", "MCI"]}))
    assert classes.y.dtype == np.int64
    assert set(classes.y.tolist()) == {-1, 0, 1}


def test_outcomes_from_joined_and_derived_columns() -> None:
    look_up = pd.DataFrame({"site": ["north", "south"], "risk": ["1", "0"]})
    cohort = build_cohort(
        spec(
            cohort={
                "join": {"source": look_up, "on": "site", "columns": "risk"},
                "derive": {"late": "admitted >= TIMESTAMP '2150-01-20'"},
            },
            outcome=[{"name": "a", "column": "risk", "positive": 1}, {"name": "b", "column": "late", "positive": True}],
        )
    )
    frame = patients()
    np.testing.assert_array_equal(cohort.y[:, 0], frame.site == "north")
    np.testing.assert_array_equal(cohort.y[:, 1], frame.admitted >= "2150-01-20")


def test_parquet_parts_keep_their_order(tmp_path: Path) -> None:
    frame = patients()
    frame[:15].to_parquet(tmp_path / "p1.parquet")
    frame[15:].to_parquet(tmp_path / "p2.parquet")
    cohort = build_cohort(spec(cohort={"source": "p*.parquet"}, base_dir=tmp_path))
    assert cohort.id == frame.pid.tolist()
