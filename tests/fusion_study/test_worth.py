"""What modalities are worth, and the learning curve, from scores that are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gdsfd.fusion_study.retrained import hidden_sets, subset_model
from gdsfd.fusion_study.worth import boosting_of_sets, learning_curve, worth_of_modalities
from tests.fusion_study.material import MODALITIES, material, whole_and_restricted

SHIFTS = whole_and_restricted(
    2.0, {"labs": 1.0, "notes": 0.2, "imaging": 0.3}, {"labs": 0.5, "notes": 1.9, "imaging": 1.7}
)


def test_models_of_all_sets_are_found() -> None:
    models = boosting_of_sets(material(SHIFTS))
    assert models[frozenset(MODALITIES)] == "boosting"
    assert models[frozenset({"labs", "notes"})] == "boosting, without imaging"
    assert models[frozenset({"notes"})] == "boosting, only notes"
    assert len(models) == 7


def test_worth_is_the_mean_over_seeds_of_shapley_values_by_hand() -> None:
    made = material(SHIFTS, patients=500)
    table = worth_of_modalities(made).set_index("modality")
    area = {name: np.array(made.by_seed(name)) for name in dict.fromkeys(made.means["learner"])}
    alone, all_but = area["boosting, only labs"], area["boosting, without labs"]
    pairs = (area["boosting, without imaging"] - area["boosting, only notes"]) + (
        area["boosting, without notes"] - area["boosting, only imaging"]
    )
    by_hand = (alone - 0.5) / 3 + pairs / 6 + (area["boosting"] - all_but) / 3
    assert table.loc["labs", "worth"] == pytest.approx(by_hand.mean())
    assert table["worth"].sum() == pytest.approx(area["boosting"].mean() - 0.5)
    assert table.loc["labs", "worth_low"] < table.loc["labs", "worth"] < table.loc["labs", "worth_high"]
    assert worth_of_modalities(material(SHIFTS, same_patients=True))["worth_low"].isna().all()


def test_without_a_model_of_some_set_there_is_no_worth() -> None:
    lacking = {key: value for key, value in SHIFTS.items() if key[0] != "boosting, without notes"}
    assert len(worth_of_modalities(material(lacking))) == 0


def test_of_many_modalities_the_others_are_hidden() -> None:
    names = ("labs", "notes", "imaging", "ecg", "codes")
    worth = {"labs": 0.8, "notes": 0.4, "imaging": 0.2, "ecg": 0.0, "codes": 0.0}
    model = subset_model().name
    shifts = {(model, word): sum(worth[name] for name in each) for each, word in hidden_sets(names).items()}
    made = material(shifts, patients=1500)
    made = replace(made, plan=replace(made.plan, modalities=names, every_set=True))
    table = worth_of_modalities(made).set_index("modality")
    assert set(table["how"]) == {"hidden from concat, trained under dropout 0.5"}
    everything = np.mean(made.by_seed(model)) - 0.5
    assert table["worth"].sum() == pytest.approx(everything)
    assert list(table.index[:3]) == ["labs", "notes", "imaging"]
    assert table.loc[["ecg", "codes"], "worth"].abs().max() < 0.005
    assert len(worth_of_modalities(replace(made, plan=replace(made.plan, every_set=False)))) == 0


def test_the_learning_curve_holds_models_of_one_share_against_each_other() -> None:
    shifts = {**SHIFTS, ("boosting, 10 %", "natural"): 1.0, ("boosting, only labs, 10 %", "natural"): 0.9}
    shifts |= {("concat, 10 %", "natural"): 0.7}
    made = material(shifts, patients=800)
    made = replace(made, plan=replace(made.plan, shares=(0.1,)))
    table = learning_curve(made, "labs")
    assert table[["share", "learner"]].to_numpy().tolist() == [
        [0.1, "boosting"],
        [1.0, "boosting"],
        [0.1, "concat"],
        [1.0, "concat"],
    ]
    few = np.array(made.by_seed("boosting, 10 %")) - np.array(made.by_seed("boosting, only labs, 10 %"))
    assert table["gain"].iloc[0] == pytest.approx(few.mean())
    assert table["gain"].iloc[1] > 0.1 > table["gain"].iloc[0]
    assert table["gain"].iloc[2] < 0
    assert len(learning_curve(material(SHIFTS), "labs")) == 0
