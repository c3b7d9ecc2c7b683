"""Differences in words, and what an answer stores."""

from __future__ import annotations

from gdsfd.fusion_study.answer import Answer, signed


def test_a_difference_in_words() -> None:
    assert signed(0.0124, 0.004, 0.0204) == "+.012 [+.004, +.020]"
    assert signed(-0.0124, float("nan"), float("nan")) == "-.012"


def test_an_answer_stores_its_question_sentences_and_facts() -> None:
    answer = Answer(3, ("A.", "B."), facts={"tau": 0.5})
    assert answer.to_dict() == {
        "question": "How robust against missing modalities?",
        "sentences": ["A.", "B."],
        "facts": {"tau": 0.5},
    }
