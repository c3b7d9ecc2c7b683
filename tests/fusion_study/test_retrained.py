"""What question 1 retrains: every set once, and what hiding asks for."""

from __future__ import annotations

from gdsfd.fusion_study.contenders import restricted
from gdsfd.fusion_study.plan import StudyPlan
from gdsfd.fusion_study.retrained import hidden_sets, more_sets, on_shares, placebo_fits, subset_model
from gdsfd.shapley import drawn_orders, sets_in, subsets

FOUR = ("labs", "notes", "imaging", "ecg")
FIVE = (*FOUR, "codes")


def test_with_the_restricted_ones_every_set_of_four_is_fitted_once() -> None:
    made = [*restricted(FOUR), *more_sets(FOUR)]
    sets = [frozenset(each.modalities) for each in made] + [frozenset(FOUR)]
    assert len(sets) == len(set(sets)) == 15
    assert len({each.name for each in made}) == 14
    assert "boosting, only labs + imaging" in {each.name for each in made}
    assert more_sets(FOUR[:3]) == []
    assert more_sets(FOUR[:2]) == []
    assert more_sets(FIVE) == []


def test_many_modalities_are_hidden_instead() -> None:
    asked = hidden_sets(FIVE)
    assert set(asked) == set(subsets(FIVE))
    assert asked[frozenset(FIVE)] == "natural"
    assert asked[frozenset({"ecg", "labs"})] == "only labs + ecg"  # in the cohort's order
    many = tuple("abcdefgh")
    assert set(hidden_sets(many)) == set(sets_in(drawn_orders(many, 8)))
    assert len(hidden_sets(many)) < 64


def test_the_plan_fits_them_for_question_1_alone() -> None:
    plan = StudyPlan((), FIVE, (0,), (1,), shares=(0.5,), every_set=True, placebos=("ecg",))
    names = [each.name for each in plan.fits]
    assert names[10:] == [
        "boosting, 50 %",
        *(f"boosting, only {name}, 50 %" for name in FIVE),
        "concat, 50 %",
        "boosting, ecg permuted",
        "concat, trained under dropout 0.5",
    ]
    assert plan.conditions_of(plan.fits[-1])[0] == "natural"
    assert set(plan.conditions_of(plan.fits[-1])) == set(hidden_sets(FIVE).values())
    assert plan.conditions_of(plan.fits[10]) == ("natural",)
    assert StudyPlan((), FIVE, (0,), (2,), shares=(0.5,), every_set=True, placebos=("ecg",)).fits == ()
    assert [each.name for each in StudyPlan((), FOUR, (0,), (1,), every_set=True).fits][-1] == more_sets(FOUR)[-1].name


def test_changes_of_training_are_named_in_the_contender() -> None:
    assert [each.training for each in on_shares(("labs",), (0.1, 0.5))[:2]] == ["share 0.1", "share 0.5"]
    assert placebo_fits(("labs",))[0].training == "permuted labs"
    assert subset_model().options == {"edge_drop": 0.5}
