from __future__ import annotations

from dataclasses import replace

import numpy as np

from gdsfd.cohort.checks.availability import presence_findings
from gdsfd.cohort.cohort import Cohort
from gdsfd.cohort.patient_facts import facts_of_cohort
from gdsfd.cohort.schema import OutcomeFields
from tests.cohort_factory import make_cohort


def findings(cohort: Cohort) -> dict[tuple[str, str], str]:
    return {(found.kind, found.where): found.text for found in presence_findings(facts_of_cohort(cohort))}


def test_a_modality_nobody_in_train_has():
    cohort = make_cohort(60, nobody_has=["scan"])
    note = cohort.observations["note"]
    later = np.array(cohort.split)[note.patient] != "train"
    note.patient, note.vector = note.patient[later], note.vector[later]
    found = findings(cohort)
    assert found["presence", "scan"] == "no training patient has it (and nobody else): a model cannot learn from it"
    assert found["presence", "note"].startswith(f"no training patient has it ({later.sum()} others have it)")
    assert ("presence", "labs") not in found


def test_a_modality_a_whole_site_lacks():
    cohort = make_cohort(100)
    note = cohort.observations["note"]
    elsewhere = np.array(cohort.environment)[note.patient] != "site 1"
    note.patient, note.vector = note.patient[elsewhere], note.vector[elsewhere]
    assert findings(cohort)["presence", "note"] == (
        "1 of 3 environments with 10 or more patients lack it wholly ('site 1'): "
        "its presence gives the environment away"
    )


def test_small_environments_are_one_finding():
    cohort = make_cohort(100)
    cohort.environment = ["tiny a", "tiny b", "tiny b", *cohort.environment[3:]]
    assert findings(cohort)["environment", "environment"] == (
        "2 of 5 environments have fewer than 10 patients ('tiny b', 'tiny a'; 3 patients together): "
        "too few to judge on their own"
    )


def test_labels():
    cohort = make_cohort(100, unlabelled=0)
    assert not [key for key in findings(cohort) if key[0] == "labels"]
    test = np.array(cohort.split) == "test"
    cohort.y[test] = 1
    assert (
        f"split 'test' has one class only ('yes', {test.sum()} labelled patients)"
        in findings(cohort)["labels", "mortality"]
    )
    cohort = make_cohort(200, outcomes="multiclass")
    test = np.array(cohort.split) == "test"
    cohort.y[test & (cohort.y == 2)] = 0
    told = [found.text for found in presence_findings(facts_of_cohort(cohort)) if found.kind == "labels"]
    assert "split 'test' has no patient of 'AD': a mean over classes leaves them out there" in told
    cohort = make_cohort(100, unlabelled=0)
    test = np.array(cohort.split) == "test"
    cohort.y[test] = np.nan
    texts = [found.text for found in presence_findings(facts_of_cohort(cohort)) if found.kind == "labels"]
    assert texts[0].startswith(f"{test.sum()} of 100 patients ({test.sum()}.0%) are unlabelled")
    assert texts[1].startswith("split 'test' has no labelled patient")


def test_unlabelled_patients_of_many_outcomes_are_one_finding():
    facts = facts_of_cohort(make_cohort(100, unlabelled=0))
    y = np.tile([[0.0], [1.0]], (50, 5)).astype(np.float32)
    for outcome, blank in enumerate([0, 4, 12, 7, 2]):
        y[:blank, outcome] = np.nan
    outcomes = tuple(OutcomeFields(f"label {k}", f"l{k}", ("0", "1"), False) for k in range(5))
    many = [found for found in presence_findings(replace(facts, y=y, outcomes=outcomes)) if found.kind == "labels"]
    assert [(found.where, found.value) for found in many] == [("outcomes", 0.12)]
    assert many[0].text == (
        "4 of 5 have unlabelled patients (most of all label 2 12.0%, label 3 7.0%, label 1 4.0%): these are kept in "
        "the graph, left out of that outcome's training losses and metrics"
    )
    few = presence_findings(replace(facts, y=y[:, :4], outcomes=outcomes[:4]))
    assert [found.where for found in few if found.kind == "labels"] == ["label 1", "label 2", "label 3"]


def test_patients_with_nothing():
    assert findings(make_cohort(60, presence=1.0))["presence", "patients"].startswith(
        "6 of 60 patients have no modality at all"
    )


def test_patients_of_a_file_that_is_missing():
    cohort = make_cohort(400, presence=0.9)
    assert "is a file missing" in findings(cohort)["presence", "patients"]  # a tenth of them has nothing
    facts = facts_of_cohort(cohort)
    presence = np.random.default_rng(0).random((400, 3)) < 0.9
    asked = {}
    for rows in (0, 19, 40):
        there = presence.copy()
        there[:rows] = False
        found = presence_findings(replace(facts, presence=there, modalities=("a", "b", "c")))
        asked[rows] = ["is a file missing" in each.text for each in found if each.where == "patients"]
    assert asked[40] == [True]
    assert True not in asked[0] + asked[19]
    rare = np.random.default_rng(0).random((400, 3)) < 0.3  # a third have nothing by chance
    found = presence_findings(replace(facts, presence=rare, modalities=("a", "b", "c")))
    assert ["is a file missing" in each.text for each in found if each.where == "patients"] == [False]
