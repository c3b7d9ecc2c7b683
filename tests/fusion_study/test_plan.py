"""The plan: what it leads to, and that its hash is of all of it."""

from __future__ import annotations

import json
from dataclasses import replace

from gdsfd.fusion_study.contenders import read_contender
from gdsfd.fusion_study.plan import FULL_LEARNERS, QUICK_LEARNERS, StudyPlan


def plan(**changed) -> StudyPlan:
    made = StudyPlan((read_contender("concat"), read_contender("boosting")), ("labs", "notes", "imaging"), (0, 1))
    return replace(made, **changed)


def test_what_is_fitted_and_asked_follows_from_the_questions() -> None:
    assert len(plan().fits) == 2 + 6
    assert len(plan(questions=(2, 3)).fits) == 2
    assert plan(questions=(2,)).conditions == ("natural",)
    assert plan(rates=(0.5,)).conditions[:3] == ("natural", "random 0.5", "without labs")
    assert plan(modalities=("labs",), rates=(0.5,)).conditions == ("natural", "random 0.5")


def test_the_hash_is_of_everything_and_survives_json() -> None:
    changes = ({}, {"seeds": (0,)}, {"margin": 0.02}, {"settings": {"max_epochs": 3}}, {"data": {"labels": "x"}})
    assert len({plan(**each).hash for each in changes}) == len(changes)
    assert json.loads(json.dumps(plan().to_dict()))["modalities"] == ["labs", "notes", "imaging"]


def test_the_lists_name_learners_that_there_are() -> None:
    assert set(QUICK_LEARNERS) <= set(FULL_LEARNERS)
    assert [read_contender(each).network for each in FULL_LEARNERS] == [True] * len(FULL_LEARNERS)
