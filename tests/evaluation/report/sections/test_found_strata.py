"""What the report says of strata that a mode looked for: every verdict, from what the run stored."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.report.section import SectionContext
from gdsfd.evaluation.report.sections.found_strata import FoundStrataSection, evidence_words
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.latent.choice import choose_strata
from tests.cohort_factory import make_cohort

STORED = {
    "used": True,
    "sentence": "2 kinds of practice were found, told by pattern.",
    "verdict": "practice",
    "classes": 2,
    "masses": [0.6, 0.4],
    "outcome_by_class": [[0.9, 0.1], [0.12, 0.88]],
    "ties": {"pattern": 1e-20, "environment": 0.04},
    "overlap": 0.1,
    "held_out_gain": [0.35, -0.01],
    "held_out_error": [0.05, 0.02],
    "patients": 1500,
}


def words(**changed: object) -> dict[str, str]:
    return {each.lead: each.text for each in evidence_words({**STORED, **changed})}


def test_how_many_told_from_what_how_surely_and_what_was_done() -> None:
    found = words()
    assert list(found) == ["2 kinds of practice", "Told from what", "How surely", "What no data can tell"]
    assert "its predictions leave that out" in found["2 kinds of practice"]
    assert "pattern below 0.001, environment 0.040" in found["Told from what"]
    assert "Fitted on 1,500 training patients" in found["How surely"]
    assert "the second +0.35 (standard error 0.05); the third −0.01 (standard error 0.02)" in found["How surely"]
    assert "by 0.10" in found["How surely"]


def test_above_the_common_overlap_it_says_what_made_it_a_practice() -> None:
    rule = "up to 0.65 counts as a practice where classes go with the outcome by log-odds of 4 or more, here 4.3."
    assert words(overlap=0.5, log_odds=4.3)["How surely"].endswith(rule)
    for own in (words(overlap=0.1, log_odds=4.3), words(overlap=0.5, log_odds=1.3, verdict="severity")):
        assert own["How surely"].endswith("up to 0.33 counts as a practice, from 0.38 on as severity.")


def test_of_a_graded_practice_it_counts_levels_and_no_kinds() -> None:
    found = words(graded=True, classes=7, sentence="A graded practice was found, 7 levels on a line, told by pattern.")
    assert list(found) == ["A graded practice", "Told from what", "How surely", "What no data can tell"]
    assert "7 levels on it" in found["How surely"]
    assert "levels" not in words(graded=False)["How surely"]
    data = {**STORED, "graded": True}
    assert FoundStrataSection().fill(data, graph_from_cohort(make_cohort(60)).schema, EvaluationConfig())["kind"] == (
        "level"
    )


def test_of_several_outcomes_each_has_a_paragraph() -> None:
    own = {"death": STORED, "delirium": {"used": False, "sentence": "No latent confounder was found."}}
    found = {each.lead: each.text for each in evidence_words({"used": True, "sentence": "", "by_outcome": own})}
    assert list(found) == ["death", "delirium"]
    assert "its predictions leave that out" in found["death"]
    assert "beside the margin" in found["delirium"]


@pytest.mark.parametrize(
    ("verdict", "lead"),
    [("severity", "3 classes, of severity"), ("cannot tell", "3 classes, and no telling"), ("none", "No latent")],
)
def test_where_nothing_was_done_it_says_so(verdict: str, lead: str) -> None:
    found = words(verdict=verdict, classes=3, used=False)
    first, *others = found
    assert first.startswith(lead)
    assert "beside the margin of the declared suspects instead" in found[first]
    assert "What no data can tell" not in others


def test_one_class_is_tied_to_nothing_and_overlaps_with_nothing() -> None:
    found = words(
        verdict="none", classes=1, used=False, ties={}, overlap=None, held_out_gain=[-0.1], held_out_error=[1]
    )
    assert list(found) == ["No latent confounder found", "How surely"]
    assert "overlap" not in found["How surely"]


def test_where_none_could_be_looked_for_it_says_why() -> None:
    (only,) = evidence_words({"used": False, "sentence": "No strata were looked for: too few."})
    assert (only.lead, only.text[:27]) == ("Not looked for", "No strata were looked for: ")


@pytest.mark.parametrize("outcomes", ["binary", "multiclass"])
def test_the_page_of_what_a_run_stores(outcomes: str) -> None:
    graph = graph_from_cohort(make_cohort(700, outcomes=outcomes, seed=2))
    stored = choose_strata(graph, 0, ("pattern", "environment"), 0, force=True).to_dict()
    section, rules = FoundStrataSection(), EvaluationConfig()
    context = SectionContext(SimpleNamespace(training={"strata": stored}), graph, ("test",), rules)
    data = section.judge(context)
    assert data == stored
    page = section.render(data, graph.schema, rules)
    assert page.count("<tr>") == 1 + stored["classes"]
    assert page.count(">of them ") == (3 if outcomes == "multiclass" else 1)
    for mass in stored["masses"]:
        assert f"{mass * 100:.0f}\N{NO-BREAK SPACE}%" in page
    assert section.to_dict(data) == {"found_strata": stored}


@pytest.mark.parametrize("training", [{}, {"seconds": 3.0}, None])
def test_a_model_of_another_mode_has_no_such_section(training: object) -> None:
    context = SectionContext(SimpleNamespace(training=training), None, ("test",), EvaluationConfig())
    assert FoundStrataSection().judge(context) is None
