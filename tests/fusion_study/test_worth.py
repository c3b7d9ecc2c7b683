"""What modalities are worth, and the learning curve, from scores that are known."""

from __future__ import annotations

import numpy as np
import pytest

from gdsfd.fusion_study.worth import boosting_of_sets, worth_of_modalities
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
