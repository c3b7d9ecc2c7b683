from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gdsfd.cohort import CohortSchema, build_cohort
from gdsfd.cohort.cohort import Cohort
from gdsfd.cohort.receipt.receipt import Receipt
from gdsfd.errors import SchemaError
from tests.cohort.small_exports import PATIENTS, events, labs, patients, spec

VECTORS = pd.DataFrame({"pid": [f"{k:03d}" for k in range(10)], "e": [np.arange(2.0) + k for k in range(10)]})


def modalities(**changes: Any) -> list[dict[str, Any]]:
    entries = [
        {"name": "labs", "kind": "table", "source": labs(), "missing": [-1]},
        {"name": "vitals", "kind": "events", "source": events(), "item": "item", "value": "value", "time": "minute"},
        {"name": "drugs", "kind": "codes", "source": events().assign(note="x"), "code": "item", "min_count": 1},
        {"name": "note", "kind": "embedding", "source": VECTORS, "columns": "e"},
    ]
    return [{"id": "pid", **entry, **changes} for entry in entries]


def same(first: Cohort, second: Cohort) -> None:
    assert (first.id, first.split, first.schema) == (second.id, second.split, second.schema)
    np.testing.assert_array_equal(first.y, second.y)
    for name, observed in first.observations.items():
        for key, value in vars(observed).items():
            np.testing.assert_array_equal(value, getattr(second.observations[name], key))


def test_four_kinds_with_a_receipt_that_adds_up() -> None:
    cohort = build_cohort(spec(modalities()))
    assert list(cohort.observations) == list(cohort.schema.names) == ["labs", "vitals", "drugs", "note"]
    for source in (cohort.receipt.cohort, *cohort.receipt.modalities):
        assert source.rows_read == source.rows_kept + sum(drop.rows for drop in source.drops)
    for source, observed in zip(cohort.receipt.modalities, cohort.observations.values()):
        assert source.patients == len(observed.patient)
        assert (np.diff(observed.patient) > 0).all()
        assert observed.patient.dtype == np.int64
    assert cohort.receipt.subjects["overlap"] == 0
    assert cohort.receipt.tables["presence_by_split"]


def test_receipt_schema_and_spec_survive_json() -> None:
    cohort = build_cohort(spec(modalities()))
    assert CohortSchema.from_dict(json.loads(json.dumps(cohort.schema.to_dict()))) == cohort.schema
    assert Receipt.from_dict(json.loads(json.dumps(cohort.receipt.to_dict()))) == cohort.receipt
    json.dumps(cohort.spec)


def test_the_same_numbers_from_every_kind_of_source(tmp_path: Path) -> None:
    frames = build_cohort(spec(modalities()[:3]))
    for suffix in ("csv", "csv.gz", "parquet"):
        entries = modalities()[:3]
        for entry in entries:
            path = tmp_path / f"{entry['name']}.{suffix}"
            entry["source"].to_parquet(path) if suffix == "parquet" else entry["source"].to_csv(path, index=False)
            entry["source"] = path.name
        patients().to_csv(tmp_path / "patients.csv", index=False)
        same(frames, build_cohort(spec(entries, cohort={"source": "patients.csv"}, base_dir=tmp_path)))


def test_nothing_depends_on_the_order_of_rows_or_on_chance() -> None:
    first = build_cohort(spec(modalities()))
    same(first, build_cohort(spec(modalities())))
    shuffled = modalities()
    for entry in shuffled:
        entry["source"] = entry["source"].sample(frac=1, random_state=1)
    same(first, build_cohort(spec(shuffled)))


def test_what_is_fitted_does_not_look_at_other_splits() -> None:
    first = build_cohort(spec(modalities()))
    train = {own for own, split in zip(first.id, first.split) if split == "train"}
    changed = modalities(window=None)
    for entry in changed:
        frame = entry["source"].copy()
        other = ~frame.pid.isin(train)
        if entry["name"] == "labs":
            frame.loc[other, "wbc"] = "1000"
            frame.loc[other, "unit"] = "elsewhere"
        elif entry["name"] == "note":
            frame["e"] = [vector * (1 if own in train else 100) for own, vector in zip(frame.pid, frame.e)]
        else:
            frame.loc[other, "item"] = "item of other splits"
            frame.loc[other, "value"] *= 10
        entry["source"] = frame
    assert build_cohort(spec(changed)).schema == first.schema


def test_like_reads_other_patients_with_the_fitted_words() -> None:
    fitted = build_cohort(spec(modalities()))
    again = build_cohort(spec(modalities()), like=fitted.schema)
    assert set(again.split) == {"new"}
    again.split = fitted.split
    same(fitted, again)
    few = build_cohort(spec(modalities(), cohort={"source": patients().iloc[[30, 2]]}), like=fitted.schema)
    assert few.id == ["030", "002"]
    assert few.schema == fitted.schema
    assert few.observations["note"].patient.tolist() == [1]
    none = build_cohort(spec(modalities(where="false"), cohort={"source": patients()[:1]}), like=fitted.schema)
    assert all(len(observed.patient) == 0 for observed in none.observations.values())


def test_like_must_fit_the_spec() -> None:
    fitted = build_cohort(spec(modalities())).schema
    with pytest.raises(
        SchemaError, match=r"expected the modalities of the fitted schema in their order, \['labs', 'vitals'"
    ):
        build_cohort(spec(modalities()[:2]), like=fitted)
    other = modalities()
    other[2] = {**other[2], "kind": "table", "columns": ["value"]}
    other[2].pop("code"), other[2].pop("min_count")
    with pytest.raises(SchemaError, match="modality 'drugs': expected kind 'codes' as fitted, got 'table'"):
        build_cohort(spec(other), like=fitted)
    outcome = {"name": "other", "column": "sex", "positive": "F"}
    with pytest.raises(SchemaError, match=r"expected the outcomes of the fitted schema, \['death'\], got \['other'\]"):
        build_cohort(spec(modalities(), outcome=outcome), like=fitted)
    turned = {"name": "death", "column": "died", "positive": "no", "negative": "yes"}
    with pytest.raises(SchemaError, match=r"classes in the order of the fitted schema, 'no', 'yes', got 'yes', 'no'"):
        build_cohort(spec(modalities(), outcome=turned), like=fitted)
    other_words = {"name": "death", "column": "died", "positive": "dead", "negative": "alive"}
    elsewhere = patients().replace({"died": {"yes": "dead", "no": "alive"}})
    read = build_cohort(spec(modalities(), outcome=other_words, cohort={"source": elsewhere}), like=fitted)
    assert read.y[:, 0].tolist() == (patients().died == "yes").astype(float).tolist()


def test_no_bar_in_a_pipe(capfd: pytest.CaptureFixture[str]) -> None:
    build_cohort(spec())
    assert capfd.readouterr() == ("", "")
    build_cohort(spec(), progress=True)
    assert "reading" in capfd.readouterr().err


def test_a_patient_without_any_modality_stays() -> None:
    cohort = build_cohort(spec({"name": "labs", "kind": "table", "source": labs(PATIENTS - 5), "id": "pid"}))
    assert len(cohort) == PATIENTS
    assert cohort.observations["labs"].patient.max() == PATIENTS - 6
