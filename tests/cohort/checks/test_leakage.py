"""Planted leaks are found and named, honest columns are not, and the AUROC is scikit-learn's."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

import gdsfd.cohort.checks.leakage as leakage
from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.checks.candidates import Flags, leak_candidates
from gdsfd.cohort.checks.leakage import find_leaks, univariate_auroc
from gdsfd.cohort.cohort import CodeObservations, Cohort, EmbeddingObservations
from gdsfd.cohort.receipt.receipt import Finding
from tests.cohort.small_exports import PATIENTS, patients, spec
from tests.cohort_factory import make_cohort


def leaks(cohort: Cohort) -> dict[str, Finding]:
    return {finding.where: finding for finding in find_leaks(cohort) if finding.kind == "leakage"}


@pytest.fixture
def cohort() -> Cohort:
    return make_cohort(400)


@pytest.mark.parametrize("seed", range(5))
def test_auroc_equals_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 8, 50).astype(np.float32)  # many ties
    values[:2] = [np.inf, -np.inf]
    positive = rng.random(50) < 0.3
    finite = np.nan_to_num(values, posinf=1e6, neginf=-1e6)
    assert univariate_auroc(values, positive) == pytest.approx(roc_auc_score(positive, finite), abs=1e-12)


def test_auroc_of_one_class_is_nan():
    assert np.isnan(univariate_auroc(np.arange(3.0), np.zeros(3, bool)))
    assert np.isnan(univariate_auroc(np.arange(3.0), np.ones(3, bool)))


def test_honest_columns_are_not_reported(cohort):
    assert leaks(cohort) == {}


def test_a_numeric_column_either_way_round(cohort):
    chart = cohort.observations["chart"]
    label = np.nan_to_num(cohort.y[chart.patient, 0])
    chart.numeric[:, 0] = label + np.linspace(0, 0.5, len(label))
    chart.numeric[:, 2] = -label
    found = leaks(cohort)
    assert set(found) == {"chart.age", "chart.creatinine"}
    assert found["chart.age"].value == 1.0
    assert found["chart.creatinine"].value == 0.0
    assert "alone it tells mortality = 'yes' from the rest with AUROC 1.000" in found["chart.age"].text


def test_only_train_rows_count(cohort):
    chart = cohort.observations["chart"]
    elsewhere = np.array(cohort.split)[chart.patient] != "train"
    chart.numeric[elsewhere, 0] = np.nan_to_num(cohort.y[chart.patient[elsewhere], 0]) * 1e6
    assert leaks(cohort) == {}
    unlabelled = np.isnan(cohort.y[chart.patient, 0])
    chart.numeric[:, 0] = np.where(unlabelled, 1e9, np.nan_to_num(cohort.y[chart.patient, 0]))
    assert leaks(cohort)["chart.age"].value == 1.0


def test_whether_a_column_was_measured(cohort):
    chart = cohort.observations["chart"]
    chart.numeric[:, 1] = np.where(cohort.y[chart.patient, 0] == 1, 1.0, np.nan)
    everyone = np.flatnonzero(~np.isin(np.arange(400), chart.patient))
    cohort.y[everyone] = np.nan  # so that who lacks the modality does not blur it
    assert set(leaks(cohort)) == {"chart.pressure (measured at all)"}


def test_a_categorical_level(cohort):
    chart = cohort.observations["chart"]
    chart.categorical[:, 0] = np.where(cohort.y[chart.patient, 0] == 1, 3, 2)
    cohort.y[~np.isin(np.arange(400), chart.patient)] = np.nan
    found = leaks(cohort)
    assert found["chart.unit (level 'SICU')"].value == 1.0
    assert found["chart.unit (level 'MICU')"].value == 0.0


def test_an_event_item(cohort):
    labs = cohort.observations["labs"]
    owner = np.repeat(labs.patient, np.diff(labs.summary_ptr))
    lactate = labs.summary_item == 1
    labs.summary[lactate, 5] = cohort.y[owner[lactate], 0]
    assert set(leaks(cohort)) == {"labs.lactate (last)"}


def test_a_code(cohort):
    died = np.flatnonzero(cohort.y[:, 0] == 1)
    cohort.observations["diagnosis"] = CodeObservations(died, np.arange(len(died) + 1), np.full(len(died), 4, np.int32))
    found = leaks(cohort)
    assert set(found) == {"diagnosis (presence)", "diagnosis (code 'C22')"}


def test_a_modality_that_only_one_class_has(cohort):
    died = np.flatnonzero(cohort.y[:, 0] == 1)
    cohort.observations["note"] = EmbeddingObservations(died, np.zeros((len(died), 4), np.float32))
    assert set(leaks(cohort)) == {"note (presence)"}


def test_every_class_of_several_is_looked_at():
    cohort = make_cohort(400, outcomes="multiclass")
    chart = cohort.observations["chart"]
    chart.numeric[:, 0] = cohort.y[chart.patient] == 1
    assert "stage = 'MCI'" in leaks(cohort)["chart.age"].text


def test_every_outcome_is_looked_at():
    cohort = make_cohort(400, outcomes="multilabel")
    chart = cohort.observations["chart"]
    chart.numeric[:, 0] = np.nan_to_num(cohort.y[chart.patient, 1])
    assert "discharge = 'yes'" in leaks(cohort)["chart.age"].text


def test_too_few_positives_say_nothing(cohort):
    chart = cohort.observations["chart"]
    train = np.flatnonzero((np.array(cohort.split) == "train") & (cohort.y[:, 0] == 1))
    cohort.y[train[9:], 0] = np.nan
    chart.numeric[:, 0] = np.nan_to_num(cohort.y[chart.patient, 0])
    assert leaks(cohort) == {}


def test_large_cohorts_are_sampled_and_say_so(cohort, monkeypatch):
    monkeypatch.setattr(leakage, "MAX_PATIENTS", 100)
    chart = cohort.observations["chart"]
    chart.numeric[:, 0] = np.nan_to_num(cohort.y[chart.patient, 0])
    text = leaks(cohort)["chart.age"].text
    train = int(((np.array(cohort.split) == "train") & ~np.isnan(cohort.y[:, 0])).sum())
    assert f"on 100 of {train} training patients drawn at random" in text


def test_flags_equal_a_dense_oracle(cohort):
    """The AUROC of a flag comes from two counts; the dense 0/1 column must give the same."""
    place = np.arange(400)
    known = ~np.isnan(cohort.y[:, 0])
    target = leakage._Target("y", cohort.y[:, 0] == 1, known)
    seen = 0
    for candidate in leak_candidates(cohort, place):
        if not isinstance(candidate, Flags):
            continue
        for number in range(len(candidate.what)):
            dense = np.zeros(400)
            np.add.at(dense, candidate.patient[candidate.flag == number], 1)
            assert dense.max() <= 1
            one = Flags(
                candidate.where, [candidate.what[number]], np.zeros(int(dense.sum()), int), np.flatnonzero(dense)
            )
            for threshold in (0.0, 1.0):  # everything but an AUROC of exactly the threshold is reported
                with pytest.MonkeyPatch.context() as patch:
                    patch.setattr(leakage, "THRESHOLD", threshold)
                    for finding in leakage._judge_flags(one, target, "", leakage.ToldPresence()):
                        assert finding.value == pytest.approx(
                            roc_auc_score(cohort.y[known, 0], dense[known]), abs=1e-12
                        )
                        seen += 1
    assert seen > 10


@pytest.mark.parametrize("num_patients", [0, 1, 2])
def test_tiny_cohorts(num_patients):
    assert leaks(make_cohort(num_patients)) == {}


def test_how_many_events_there_are_and_how_late_the_last_is_may_tell() -> None:
    """Records of those who die end earlier."""
    table = patients()
    died = table["died"].to_numpy() == "yes"
    rows = pd.DataFrame({"pid": np.repeat(table["pid"].to_numpy(), 20), "t": np.tile(np.arange(20) * 60, PATIENTS)})
    rows = rows.assign(
        item="hr", value=np.random.default_rng(0).normal(size=len(rows)), code="c" + rows["t"].astype(str)
    )
    rows = rows[~np.repeat(died, 20) | (rows["t"] < 600)]
    entries = [
        {
            "name": "vitals",
            "kind": "events",
            "source": rows,
            "id": "pid",
            "time": "t",
            "item": "item",
            "value": "value",
        },
        {"name": "tests", "kind": "codes", "source": rows, "id": "pid", "code": "code"},
    ]
    found = build_cohort(spec(entries)).receipt.findings
    told = [finding.where for finding in found if finding.kind == "leakage"]
    for what in ("vitals (number of values)", "vitals (step of the last value)", "tests (number of codes)"):
        assert what in told
