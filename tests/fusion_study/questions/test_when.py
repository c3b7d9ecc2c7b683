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
    assert answer.sentences[1].endswith("(better).")
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
