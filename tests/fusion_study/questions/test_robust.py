"""Question 3 on scores whose answer is planted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau

from gdsfd.fusion_study.questions.robust import rank_agreement, robust
from tests.fusion_study.material import material


def test_who_leads_when_half_is_hidden_and_what_an_absence_costs() -> None:
    shifts = {
        ("concat", "natural"): 2.0,
        ("muse", "natural"): 1.8,
        ("boosting", "natural"): 1.6,
        ("concat", "random 0.5"): 0.4,
        ("muse", "random 0.5"): 1.0,
        ("boosting", "random 0.5"): 1.2,
        ("concat", "without labs"): 0.2,
        ("muse", "without labs"): 1.1,
        ("boosting", "without labs"): 1.0,
        ("boosting, without labs", "natural"): 1.1,
    }
    answer = robust(material(shifts, ("concat", "muse", "boosting"), patients=2000))
    assert answer.sentences[0].startswith("With a share of 0.5 of the modalities hidden at random boosting ranks best")
    assert "agrees to -1.00 [-1.00, " in answer.sentences[1]
    assert answer.sentences[1].endswith("(Kendall's tau): other learners lead.")
    agreement = answer.tables["rank_agreement"].set_index("condition")
    assert agreement.loc["random 0.5", "tau_high"] < 1
    assert np.isnan(agreement.loc["without labs", "tau_high"])
    assert answer.sentences[2].startswith("The absence of labs costs concat more than ignorance would: +0.")
    regret = answer.tables["regret"].set_index("learner")
    assert regret.loc["concat", "regret"] == pytest.approx(regret["floor"].iloc[0] - regret.loc["concat", "hidden"])
    assert regret.loc["muse", "regret"] == pytest.approx(0, abs=0.01)
    assert list(answer.tables["conditions"].columns) == ["learner", "natural", "random 0.5", "without labs"]


def test_agreement_is_kendalls_tau() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.random((6, 3)), columns=["natural", "random 0.5", "without labs"])
    found = rank_agreement(table).set_index("condition")["tau"]
    assert found["random 0.5"] == pytest.approx(kendalltau(table["natural"], table["random 0.5"]).statistic)
    assert rank_agreement(table.head(1))["tau"].isna().all()
