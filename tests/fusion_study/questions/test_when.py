"""Question 1 on scores whose answer is planted."""

from __future__ import annotations

from gdsfd.fusion_study.questions.when import ADDITIVE, when
from tests.fusion_study.material import MODALITIES, material, whole_and_restricted


def test_fusion_that_helps_and_what_is_needed() -> None:
    alone = {"labs": 1.0, "notes": 0.3, "imaging": 0.2}
    shifts = whole_and_restricted(2.0, alone, {"labs": 0.9, "notes": 2.0, "imaging": 2.0})
    shifts[ADDITIVE, "natural"] = 1.2
    answer = when(material(shifts, ("concat", ADDITIVE, "boosting"), patients=2000, seeds=tuple(range(6))))
    assert answer.sentences[0].startswith("Fusion helps here")
    assert "(labs, " in answer.sentences[0]
    assert answer.sentences[1].startswith("Beside all others labs still adds 0.01 or more; interaction")
    assert answer.sentences[1].endswith("(better), so most of what fusion gains here is interaction.")
    gains = answer.tables["gains"].set_index("contrast")
    assert gains.loc["all modalities minus all but notes", "verdict"] == "no difference"
    assert list(answer.tables["alone"]["modality"]) == ["labs", "notes", "imaging"]
    assert "<svg" in answer.figures["gains"]


def test_fusion_that_makes_no_difference() -> None:
    same = dict.fromkeys(MODALITIES, 1.0)
    answer = when(material(whole_and_restricted(1.0, same, same), seeds=tuple(range(8)), patients=2000))
    assert answer.sentences[0].startswith("Fusion makes no difference here")
    assert answer.sentences[1].startswith("No modality adds 0.01 or more to all others beyond doubt.")


def test_one_modality_is_nothing_to_fuse() -> None:
    assert when(material({("boosting", "natural"): 1.0})).sentences == ("There is one modality, so nothing to fuse.",)


def test_how_much_of_the_gain_is_interaction() -> None:
    alone = {"labs": 0.5, "notes": 0.3, "imaging": 0.2}
    for additive, words in ((0.5, "interaction"), (1.9, "additive")):
        shifts = whole_and_restricted(2.0, alone, {})
        shifts[ADDITIVE, "natural"] = additive
        answer = when(material(shifts, ("concat", ADDITIVE, "boosting"), patients=1000, seeds=tuple(range(4))))
        assert answer.facts["kind_of_gain"] == words
        assert f"so most of what fusion gains here is {words}." in answer.sentences[1]
    del shifts[ADDITIVE, "natural"]
    assert when(material(shifts)).facts["kind_of_gain"] == ""


def test_details_stand_in_tables_and_figures() -> None:
    alone = {"labs": 1.0, "notes": 0.2, "imaging": 0.3}
    shifts = whole_and_restricted(2.0, alone, {"labs": 0.5, "notes": 1.9, "imaging": 1.7})
    answer = when(material(shifts, patients=500))
    assert set(answer.tables) >= {"decision_curve", "gains_in_strata", "do_strata_differ"}
    assert set(answer.figures) == {"gains", "gains_in_strata", "decision_curve"}
    worth = answer.tables["what_each_modality_is_worth"]  # of three modalities every set is retrained anyhow
    assert list(worth["modality"]) == ["labs", "imaging", "notes"]
    total = answer.tables["gains"]["gain"].iloc[0] + answer.tables["alone"]["auroc_alone"].iloc[0] - 0.5
    assert abs(worth["worth"].sum() - total) < 1e-9
