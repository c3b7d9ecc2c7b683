"""Question 3 on scores whose answer is planted."""

from __future__ import annotations

import pytest
from scipy.stats import kendalltau

from gdsfd.fusion_study.questions.robust import robust
from tests.fusion_study.material import material


def test_who_leads_when_half_is_hidden_and_what_an_absence_costs() -> None:
    ill, well = "hidden in ill 0.5", "hidden in well 0.5"
    shifts = {
        ("concat", "natural"): 2.0,
        ("muse", "natural"): 1.8,
        ("boosting", "natural"): 1.6,
        ("concat", "random 0.5"): 0.4,
        ("muse", "random 0.5"): 1.0,
        ("boosting", "random 0.5"): 1.2,
        ("concat", ill): -0.5,
        ("muse", ill): 1.4,
        ("boosting", ill): 0.9,
        ("concat", well): 2.5,
        ("muse", well): 1.4,
        ("boosting", well): 1.3,
        ("concat", "without labs"): 0.2,
        ("muse", "without labs"): 1.1,
        ("boosting", "without labs"): 1.0,
        ("boosting, without labs", "natural"): 1.1,
        ("boosting, trained under random 0.5", "random 0.5"): 1.1,
        ("presence alone", "natural"): 0.5,
    }
    made = material(shifts, ("concat", "muse", "boosting"), patients=1000, mechanisms=(ill, well))
    answer = robust(made)
    assert answer.sentences[0].startswith("With a share of 0.5 of the modalities hidden at random boosting ranks best")
    assert "; the absence of labs costs concat more than ignorance would (+0." in answer.sentences[0]
    assert (
        "agrees to 0.33 [0.33, 0.33] (Kendall's tau) with the one where modalities are missing in those with the"
        in (answer.sentences[1])
    )
    assert "concat swings most, from 0.3" in answer.sentences[1]
    assert answer.sentences[1].endswith("missing in the others: absence means health to it.")
    assert answer.facts["tau"] == -1
    assert answer.tables["presence_alone"]["auroc"].iloc[0] == pytest.approx(0.64, abs=0.05)
    agreement = answer.tables["rank_agreement"].set_index("condition")
    assert agreement.loc["random 0.5", "tau_high"] < 1
    areas = answer.tables["conditions"].set_index("learner")
    assert agreement.loc[well, "tau"] == pytest.approx(kendalltau(areas["natural"], areas[well]).statistic)
    assert agreement.loc[well, "tau_random"] == pytest.approx(kendalltau(areas["random 0.5"], areas[well]).statistic)
    assert list(areas.columns) == ["natural", "random 0.5", ill, well]
    assert set(answer.figures) == {"hidden_at_random", "ranks", "conditions"}
    assert "floor: boosting trained for it" in answer.figures["hidden_at_random"]
    in_short = answer.tables["in_short"].set_index("learner")
    assert in_short.loc["concat", "swing"] == pytest.approx(areas.loc["concat", well] - areas.loc["concat", ill])
    for name, row in in_short.iterrows():
        assert row["swing_low"] < row["swing"] < row["swing_high"]
        gap = areas.loc[name, "random 0.5"] - areas.loc["boosting", "random 0.5"]
        assert row["hidden_minus_boosting"] == pytest.approx(gap)
    assert in_short.loc["concat", "swing"] > 0.5 > abs(in_short.loc["muse", "swing"])


def test_without_hiding_nothing_is_said() -> None:
    made = material({("concat", "natural"): 1.0, ("boosting", "natural"): 1.0})
    assert robust(made).sentences == ("Hiding was not part of the plan.",)
