"""Tables of question 3, worked out again by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from gdsfd.fusion_study.contenders import PRESENCE
from gdsfd.fusion_study.robustness import alerts, floors, presence_leakage, regrets, squares
from tests.fusion_study.material import material


def area(made, learner: str, condition: str) -> float:
    own = made.predictions[(made.predictions["learner"] == learner) & (made.predictions["condition"] == condition)]
    return float(np.mean([roc_auc_score(each["y"], each["p"]) for _, each in own.groupby("seed")]))


def test_floors_are_of_what_was_trained_for_the_condition():
    trained = "boosting, trained under random 0.5"
    shifts = {
        ("boosting", "natural"): 2.0,
        ("boosting, without labs", "natural"): 1.2,
        (trained, "natural"): 1.5,
        (trained, "random 0.5"): 1.0,
    }
    made = material(shifts, ("boosting",))
    found = floors(made)
    assert found == {
        "without labs": pytest.approx(area(made, "boosting, without labs", "natural")),
        "random 0.5": pytest.approx(area(made, trained, "random 0.5")),
    }
    table = pd.DataFrame({"natural": [0.9], "without labs": [0.6]}, index=["muse"])
    (row,) = regrets(table, found).to_dict("records")
    assert row["regret"] == pytest.approx(found["without labs"] - 0.6)


def test_the_square_has_training_down_and_test_across():
    ill, well = "hidden in ill 0.8: labs", "hidden in well 0.8: labs"
    trained = f"concat, trained under {ill}"
    shifts = {
        (name, each): shift
        for name, values in {"concat": (2, 1, 1), trained: (2, 2.5, -1)}.items()
        for each, shift in zip(("natural", ill, well), values)
    }
    made = material(shifts, ("concat",), train_conditions=(ill,), retrained=("concat",))
    found = squares(made)["concat"]
    assert list(found.index) == ["natural", ill]
    assert list(found.columns) == ["natural", ill, well]
    assert found.loc[ill, well] == pytest.approx(area(made, trained, well))
    assert found.loc[ill, well] < 0.5 < found.loc[ill, ill]


def test_presence_is_judged_where_there_are_enough_patients():
    made = material({(PRESENCE, "natural"): 1.0, ("concat", "natural"): 1.0}, ("concat",))
    numbers = np.arange(len(made.patients))
    made = replace(made, patients=made.patients.assign(environment=np.where(numbers % 40 == 0, "small", "large")))
    found = presence_leakage(made).set_index("environment")
    assert list(found.index) == ["everybody", "large"]
    assert found.loc["everybody", "auroc"] == pytest.approx(area(made, PRESENCE, "natural"))
    assert (found["auroc_low"] < found["auroc"]).all()
    assert (found["auroc_high"] > found["auroc"]).all()


def test_alerts_are_counted_at_the_thresholds_of_the_fits():
    made = material({("concat", "natural"): 1.0, ("concat", "random 0.5"): 0.2}, ("concat",))
    found = alerts(made, ["concat"]).set_index("condition")
    own = made.predictions[made.predictions["condition"] == "random 0.5"]
    assert found.loc["random 0.5", "alert_rate"] == pytest.approx((own["p"] >= 0.5).mean())
    rates = [(each.loc[each["y"] == 1, "p"] >= 0.5).mean() for _, each in own.groupby("seed")]
    assert found.loc["random 0.5", "found"] == pytest.approx(np.mean(rates))
    assert found.loc["random 0.5", "predicted_minus_observed"] == pytest.approx(own["p"].mean() - own["y"].mean())
