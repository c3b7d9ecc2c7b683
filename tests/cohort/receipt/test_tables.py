"""The receipt's tables against slow counts in Python."""

from __future__ import annotations

import json
from collections import Counter

import pytest

import gdsfd.cohort.receipt.tables as presence
from gdsfd.cohort.cohort import Cohort
from gdsfd.cohort.receipt.tables import fill_tables
from gdsfd.errors import InputError
from tests.cohort_factory import make_cohort


@pytest.fixture(params=["binary", "multiclass", "multilabel"])
def cohort(request) -> Cohort:
    made = make_cohort(80, outcomes=request.param)
    made.split = ["later" if name == "tuning" and row % 2 else name for row, name in enumerate(made.split)]
    made.subject = list(made.id)  # the line above may have torn subjects apart
    fill_tables(made)
    return made


def has(cohort: Cohort, row: int) -> list[str]:
    return [name for name in cohort.schema.names if row in cohort.observations[name].patient]


def positive(cohort: Cohort, outcome: str, label: str, row: int) -> bool:
    number = [found.name for found in cohort.schema.outcomes].index(outcome)
    value = cohort.y[row] if cohort.y.ndim == 1 else cohort.y[row, number]
    return value == cohort.schema.outcomes[number].classes.index(label)


def test_patterns(cohort):
    expected = Counter(tuple(has(cohort, row)) for row in range(80))
    rows = cohort.receipt.tables["patterns"]
    assert {tuple(row["modalities"]): row["count"] for row in rows} == expected
    counts = [row["count"] for row in rows]
    assert counts == sorted(counts, reverse=True)
    for row in rows:
        members = [patient for patient in range(80) if has(cohort, patient) == row["modalities"]]
        assert row["share"] == len(members) / 80
        assert row["splits"] == {
            name: sum(cohort.split[patient] == name for patient in members)
            for name in ("train", "tuning", "test", "later")
        }


def test_patterns_rates(cohort):
    for row in cohort.receipt.tables["patterns"]:
        members = [patient for patient in range(80) if has(cohort, patient) == row["modalities"]]
        for outcome in cohort.schema.outcomes:
            known = [p for p in members if any(positive(cohort, outcome.name, label, p) for label in outcome.classes)]
            labels = outcome.classes if outcome.multiclass else outcome.classes[1:]
            for label in labels:
                rate = row["outcome_rate"][label if outcome.multiclass else outcome.name]
                hits = sum(positive(cohort, outcome.name, label, p) for p in known)
                assert rate == (hits / len(known) if known else None)


def test_patterns_beyond_the_limit_are_pooled_not_lost(monkeypatch):
    monkeypatch.setattr(presence, "MAX_PATTERNS", 3)
    cohort = make_cohort(80)
    fill_tables(cohort)
    rows = cohort.receipt.tables["patterns"]
    assert len(rows) == 4
    assert rows[-1]["modalities"] is None
    assert sum(row["count"] for row in rows) == 80
    assert rows[-1]["pooled"] + 3 == len({tuple(has(cohort, row)) for row in range(80)})


@pytest.mark.parametrize(("table", "key"), [("presence_by_split", "split"), ("presence_by_environment", "environment")])
def test_presence_by(cohort, table, key):
    labels = getattr(cohort, key)
    rows = cohort.receipt.tables[table]
    assert len(rows) == len(set(labels)) * len(cohort.schema.names)
    for row in rows:
        members = [patient for patient in range(80) if labels[patient] == row[key]]
        count = sum(row["modality"] in has(cohort, patient) for patient in members)
        assert (row["count"], row["of"], row["share"]) == (count, len(members), count / len(members))


def test_presence_by_outcome(cohort):
    rows = cohort.receipt.tables["presence_by_outcome"]
    assert len(rows) == sum(len(outcome.classes) for outcome in cohort.schema.outcomes) * len(cohort.schema.names)
    for row in rows:
        members = [p for p in range(80) if positive(cohort, row["outcome"], row["class"], p)]
        assert (row["count"], row["of"]) == (sum(row["modality"] in has(cohort, p) for p in members), len(members))


def test_outcomes_add_up(cohort):
    for outcome in cohort.schema.outcomes:
        rows = [row for row in cohort.receipt.tables["outcomes"] if row["outcome"] == outcome.name]
        assert [row["class"] for row in rows] == [*outcome.classes, None]
        assert sum(row["patients"] for row in rows) == 80
        assert sum(row["share"] for row in rows[:-1]) == pytest.approx(1)
        assert all(sum(row["splits"].values()) == row["patients"] for row in rows)


def test_splits_and_subjects(cohort):
    rows = cohort.receipt.tables["splits"]
    assert [row["split"] for row in rows] == ["train", "tuning", "test", "later"]
    for row in rows:
        members = [patient for patient in range(80) if cohort.split[patient] == row["split"]]
        assert row["patients"] == row["subjects"] == len(members) == cohort.receipt.subjects[row["split"]]
        assert row["labelled"] == sum(
            any(
                positive(cohort, outcome.name, label, p)
                for outcome in cohort.schema.outcomes
                for label in outcome.classes
            )
            for p in members
        )
    assert cohort.receipt.subjects["overlap"] == 0


def test_subjects_are_people_not_patients():
    cohort = make_cohort(200)
    fill_tables(cohort)
    for row in cohort.receipt.tables["splits"]:
        people = {subject for subject, split in zip(cohort.subject, cohort.split) if split == row["split"]}
        assert row["subjects"] == len(people) < row["patients"]


def test_a_subject_in_two_splits_is_refused():
    cohort = make_cohort(6, splits=["train", "train", "test", "test", "train", "tuning"])
    cohort.subject = ["a", "b", "b", "c", "d", "d"]
    with pytest.raises(InputError, match=r"2 subjects have patients in more than one split: 'b', 'd'\. A subject's"):
        fill_tables(cohort)


def test_no_environment_declared():
    cohort = make_cohort(20, environments=None)
    fill_tables(cohort)
    assert cohort.receipt.tables["presence_by_environment"] == []


@pytest.mark.parametrize("num_patients", [0, 1, 2])
def test_tiny_cohorts_are_json(num_patients):
    cohort = make_cohort(num_patients)
    fill_tables(cohort)
    stored = json.loads(json.dumps(cohort.receipt.to_dict(), allow_nan=False))
    assert sum(row["count"] for row in stored["tables"]["patterns"]) == num_patients
