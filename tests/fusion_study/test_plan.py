"""The plan: what it leads to, and that its hash is of all of it."""

from __future__ import annotations

import json
from dataclasses import replace

from gdsfd.fusion_study.contenders import PRESENCE, read_contender
from gdsfd.fusion_study.plan import FULL_LEARNERS, QUICK_LEARNERS, StudyPlan


def plan(**changed) -> StudyPlan:
    made = StudyPlan((read_contender("concat"), read_contender("boosting")), ("labs", "notes", "imaging"), (0, 1))
    return replace(made, **changed)


def test_what_is_fitted_and_asked_follows_from_the_questions() -> None:
    floors = ["boosting, without labs", "boosting, without notes", "boosting, without imaging"]
    hidden = [f"boosting, trained under random {rate}" for rate in (0.2, 0.5, 0.8)]
    assert [each.name for each in plan(questions=(2,)).fits] == ["concat", "boosting"]
    assert [each.name for each in plan(questions=(2, 3)).fits] == ["concat", "boosting", *floors, *hidden, PRESENCE]
    assert len(plan().fits) == 2 + 6 + 3 + 1
    assert len(plan(modalities=("labs", "notes")).fits) == 2 + 2 + 3 + 1
    assert plan(questions=(2,)).conditions == ("natural",)
    assert plan(rates=(0.5,)).conditions[:3] == ("natural", "random 0.5", "without labs")
    assert plan(modalities=("labs",), rates=(0.5,)).conditions == ("natural", "random 0.5")


def test_what_is_trained_again_meets_its_condition_and_the_flip() -> None:
    made = plan(train_conditions=("dropout 0.5", "hidden in ill 0.8: labs"), retrained=("concat", "boosting"))
    names = [each.name for each in made.squares]
    assert names == [
        "concat, trained under dropout 0.5",
        "concat, trained under hidden in ill 0.8: labs",
        "boosting, trained under hidden in ill 0.8: labs",
    ]
    met = ("random 0.5", "hidden in ill 0.8: labs", "hidden in well 0.8: labs")
    assert made.conditions_of(made.squares[0]) == ("natural", *met)
    assert set(met) <= set(made.conditions)
    assert made.conditions_of(made.contenders[0]) == made.conditions
    assert made.conditions_of(made.floors[1]) == ("natural", "random 0.5")
    assert made.conditions_of(made.fits[-1]) == ("natural",)


def test_the_hash_is_of_everything_and_survives_json() -> None:
    changes = ({}, {"seeds": (0,)}, {"margin": 0.02}, {"settings": {"max_epochs": 3}}, {"data": {"labels": "x"}})
    assert len({plan(**each).hash for each in changes}) == len(changes)
    assert json.loads(json.dumps(plan().to_dict()))["modalities"] == ["labs", "notes", "imaging"]


def test_the_lists_name_learners_that_there_are() -> None:
    assert set(QUICK_LEARNERS) <= set(FULL_LEARNERS)
    assert [read_contender(each).network for each in FULL_LEARNERS] == [True] * len(FULL_LEARNERS)
