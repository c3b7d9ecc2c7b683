"""Question 4 on groups whose gap is planted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from gdsfd.fusion_study.questions.fair import fair, odds_split
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
    groups = answer.tables["groups"]
    assert groups[["learner", "group"]].drop_duplicates().shape[0] == 6
    assert (groups["n"] == 1500).all()
    assert "gaps_between_pairs_of_groups" not in answer.tables


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


def test_pairs_of_attributes_have_tables_and_alarms_of_their_own() -> None:
    made = material(SHIFTS, patients=1200, noisier=3.0, seeds=(0,))
    number = np.arange(len(made.patients))
    age = np.where(number < 40, "oldest", np.where(number // 2 % 2, "young", "old"))
    made = replace(made, patients=made.patients.assign(**{"group:age": age}))
    answer = fair(replace(made, plan=replace(made.plan, groups=("site", "age"))))
    crossed = answer.tables["gaps_between_pairs_of_groups"]
    assert set(crossed["attribute"]) == {"site × age"}
    assert set(crossed["groups"]) == {4}
    assert set(answer.tables["gaps"]["attribute"]) == {"site", "age"}
    assert answer.facts["alarms_of_pairs"] >= 1
    assert answer.sentences[-1].startswith("Of pairs of attributes ")
    assert "Too few patients to compare: age: oldest (40)." in answer.sentences
    few = answer.tables["groups"].query("attribute == 'site × age' and note == 'too few'")
    assert set(few["group"]) == {"A × oldest", "B × oldest"}
    assert set(few["n"]) == {20}
    assert few["auroc"].isna().all()


def test_a_gap_in_error_rates_is_split() -> None:
    rows = [("tpr", 0.3, 0.1), ("fpr", 0.1, 0.05), ("auroc", 0.5, 0.2)]
    key = {"target": "death", "learner": "concat", "attribute": "site"}
    table = pd.DataFrame([{**key, "figure": name, "gap": gap, "null_median": null} for name, gap, null in rows])
    (found,) = odds_split(table).to_dict("records")
    assert found == {
        **key,
        "tpr_gap": 0.3,
        "tpr_by_chance": 0.1,
        "fpr_gap": 0.1,
        "fpr_by_chance": 0.05,
        "share_found": pytest.approx(0.75),
    }
    assert np.isnan(odds_split(table.assign(gap=np.nan))["share_found"]).all()
