"""Question 2 on scores whose answer is planted."""

from __future__ import annotations

import pytest

from gdsfd.comparison.statistics import holm
from gdsfd.fusion_study.questions.which import which
from tests.fusion_study.material import material


def test_the_best_and_what_is_better_than_the_references() -> None:
    shifts = {
        ("concat", "natural"): 1.0,
        ("muse", "natural"): 1.5,
        ("mmtm", "natural"): 1.0,
        ("boosting", "natural"): 1.2,
    }
    answer = which(material(shifts, ("concat", "muse", "mmtm", "boosting"), patients=2000, seeds=tuple(range(8))))
    assert answer.sentences[0].startswith("muse has the highest AUROC")
    assert answer.sentences[0].endswith("against concatenation: better.")
    assert answer.sentences[1] == (
        "Better than concatenation by the plan's rule is muse; better than gradient boosting is muse."
    )
    table = answer.tables["learners"]
    assert table["learner"].iloc[0] == "muse"
    assert list(table["auroc"]) == sorted(table["auroc"], reverse=True)
    assert table.set_index("learner").loc["mmtm", "verdict_concat"] == "no difference"
    assert table.set_index("learner").loc["concat", "verdict_concat"] == "itself"
    assert sorted(table["minus_boosting_holm"].dropna()) == pytest.approx(
        sorted(each for each in holm(table["minus_boosting_p"].tolist()) if each == each)
    )


def test_nobody_is_better_than_concatenation() -> None:
    answer = which(material({("concat", "natural"): 1.0, ("boosting", "natural"): 1.0}))
    assert "is none of the networks; better than gradient boosting is none" in answer.sentences[1]
