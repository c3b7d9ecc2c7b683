"""Question 4 on groups whose gap is planted."""

from __future__ import annotations

from dataclasses import replace

from gdsfd.fusion_study.questions.fair import fair
from tests.fusion_study.material import material

SHIFTS = {("concat", "natural"): 2.0, ("boosting", "natural"): 1.8, ("boosting, only labs", "natural"): 1.2}


def test_equal_groups_raise_no_alarm() -> None:
    answer = fair(material(SHIFTS, patients=1000))
    assert answer.sentences[0].startswith("None of 3 gaps of concat goes beyond what chance makes of equal groups")
    assert "against boosting on labs alone." in answer.sentences[1]
    assert answer.facts["alarms"] == 0
    assert set(answer.tables["gaps"]["learner"]) == {"concat", "boosting", "boosting, only labs"}
    assert set(answer.tables["what_fusion_changes"]["figure"]) == {"auroc", "tpr", "fpr"}
    rates = answer.tables["who_has_what_by_site"].set_index("group")
    assert rates["imaging"].between(0.64, 0.7).all()
    parts = answer.tables["availability_or_model"].set_index("figure")
    gaps = answer.tables["gaps"].query("learner == 'concat'").set_index("figure")
    for name in ("auroc", "tpr", "fpr"):
        assert parts.loc[name, "gap"] == gaps.loc[name, "gap"]
        assert abs(parts.loc[name, "by_availability"]) < 0.02  # who has imaging does not depend on the group


def test_a_group_that_is_scored_worse_is_found_and_named() -> None:
    answer = fair(material(SHIFTS, patients=1000, noisier=3.0))
    first = answer.sentences[0]
    assert "gaps of concat go beyond what chance makes of equal groups, first of all by site" in first
    assert answer.facts["alarms"] >= 1
    areas = answer.tables["gaps"].query("figure == 'auroc' and learner == 'concat'").iloc[0]
    assert (areas["highest"], areas["lowest"]) == ("A", "B")
    assert f"{areas['gap']:.3f} between A and B" in first or "AUROC" not in first


def test_small_groups_and_no_groups_are_said() -> None:
    few = fair(material(SHIFTS, patients=60))
    assert few.sentences == ("No attribute has two groups that are large enough to compare.",)
    made = material(SHIFTS)
    none = fair(replace(made, plan=replace(made.plan, groups=())))
    assert none.sentences == ("The spec declares no groups, so there is nothing to compare.",)
