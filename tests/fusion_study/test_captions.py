"""Captions: every figure and table of a study has one, and names without one are put in words."""

from __future__ import annotations

from gdsfd.fusion_study.captions import _CAPTIONS, Caption, caption_of
from gdsfd.fusion_study.questions.which import which
from tests.fusion_study.material import material


def test_what_is_on_a_page_has_a_caption() -> None:
    answer = which(material({("concat", "natural"): 1.0, ("muse", "natural"): 1.4}, ("concat", "muse")))
    assert {*answer.tables, *answer.figures} <= set(_CAPTIONS)
    assert caption_of("who_has_what_by_site") == Caption("Who has what by site")
    assert caption_of("train_by_test_muse").title == "muse: trained under, and tested under"
    assert caption_of("trained_under_muse").folded


def test_what_stands_above_a_column_is_words_a_reader_knows() -> None:
    assert Caption("x").heading("auroc_alone") == "AUROC alone"
    assert Caption("x").heading("tpr") == "found"
    assert Caption("x").heading("random 0.5") == "random 0.5"
    assert caption_of("decision_curve").heading("reference") == "best single modality"
