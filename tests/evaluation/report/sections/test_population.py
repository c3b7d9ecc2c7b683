"""Whose patients were judged: sentences from hand-made populations, the table, and ``metrics.json``."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gdsfd.cohort.schema import CohortSchema
from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.population import JudgedPopulation
from gdsfd.evaluation.report.fixed_settings import FixedSetting
from gdsfd.evaluation.report.sections.population import Populations, PopulationSection, population_narrative

HELD_OUT = JudgedPopulation(
    "test", "held out", 50, 45, ("a.csv",), 200, "care_unit", {"MICU": 30, "CCU": 20}, ("MICU",), 100, 50, "id"
)
NEW = replace(HELD_OUT, split="new", kind="new", patients=200)


@pytest.mark.parametrize(
    ("found", "said", "unsaid"),
    [
        (HELD_OUT, "The split “test” of a.csv: 50 patients of 200 in the cohort that the model was trained on.", "All"),
        (
            HELD_OUT,
            "None of them is among its 100 training and 50 tuning patients (checked by salted hashes of id)",
            "?",
        ),
        (HELD_OUT, "By care unit: MICU (30), CCU (20); 1 of these 2 names stood in training, too.", "none of these"),
        (NEW, "All 200 patients of a.csv, another cohort than the one that the model was trained on.", "The split"),
        (replace(NEW, patients=150), "150 of 200 patients of a.csv, another cohort", "All"),
        (replace(NEW, dropped=1), "1 patient was left out because the model has seen them.", "another cohort"),
        (replace(NEW, same_ids=1), "1 of them has an id that stands among its 100 training", "None of them"),
        (replace(HELD_OUT, kind="training"), "50 patients that the model was trained on", "None of them"),
        (replace(HELD_OUT, kind="tuning"), "flattered", "None of them"),
        (replace(HELD_OUT, kind="unknown", checked_by=""), "cannot be checked", "None of them"),
        (
            replace(NEW, same_values=1),
            "1 of the 200 has the very same numbers, in all tables and events, as a pati",
            "have",
        ),
        (replace(NEW, same_values=7), "7 of the 200 have the very same numbers", "has the"),
        (NEW, "All 200", "very same numbers"),
        (replace(HELD_OUT, in_training=None), "CCU (20).", "in training, too"),
        (replace(HELD_OUT, in_training=()), "none of these names stood in training.", ", too"),
        (
            replace(NEW, in_training=(), near_training={"ccu": "CCU"}),
            "none of these names stood in training. But 1 of them differ from a name of training in case, blanks, "
            "zeros or the like only ('ccu' against 'CCU'): they may be the same.",
            ", too.",
        ),
        (replace(HELD_OUT, in_training=("CCU", "MICU")), "all of these names stood in training, too", "of these 2"),
        (replace(HELD_OUT, environments={}), "The split", "By care unit"),
        (replace(HELD_OUT, environments={f"u{k}": 9 - k for k in range(8)}), "u5 (4) and 2 more; 1 of", "u6"),
    ],
)
def test_sentences(found, said, unsaid):
    text = population_narrative(found)
    assert said in text
    assert unsaid not in text


def shown(*judged, fixed=()):
    found = Populations(judged, fixed)
    return PopulationSection().render(found, CohortSchema((), ()), EvaluationConfig())


def test_the_table_and_whether_anything_in_it_saw_these_patients():
    row = FixedSetting("threshold", "12 % <of all>", "50 tuning patients")
    page = shown(HELD_OUT, fixed=(row,))
    assert "<td>12 % &lt;of all&gt;</td><td>50 tuning patients</td>" in page
    assert "Nothing in this table but its last row looked at the patients judged." in page
    assert "nor on any other patient of their cohort" in shown(NEW, fixed=(row,))
    assert "<table" not in shown(HELD_OUT)


def test_splits_are_named_where_there_are_several():
    assert "<b>" not in shown(HELD_OUT)
    assert "<b>new.</b> All 200" in shown(HELD_OUT, NEW)


def test_the_file_has_it_by_split():
    row = FixedSetting("threshold", "none", "nobody")
    stored = json.loads(json.dumps(PopulationSection().to_dict(Populations((HELD_OUT, NEW), (row,)))))
    assert stored["fixed"] == [{"what": "threshold", "value": "none", "on": "nobody"}]
    assert stored["population"]["new"]["words"] == population_narrative(NEW)
    assert stored["population"]["test"]["environments"] == {"MICU": 30, "CCU": 20}
