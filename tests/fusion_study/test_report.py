"""The page: answers first, figures with their ends in one cell, nothing from elsewhere."""

from __future__ import annotations

import re

import pandas as pd

from gdsfd.fusion_study.answer import Answer
from gdsfd.fusion_study.questions.which import which
from gdsfd.fusion_study.report import _tables, report
from tests.fusion_study.material import material


def test_the_page_has_answers_tables_figures_and_the_plan() -> None:
    made = material({("concat", "natural"): 1.0, ("muse", "natural"): 1.4}, ("concat", "muse"))
    answer = which(made)
    page = report(made, [answer], {"gdsfd": "0.1.0"})
    for sentence in answer.sentences:
        assert sentence.replace("'", "&#39;") in page
    assert made.plan.hash in page
    assert "<svg" in page
    row = answer.tables["learners"].iloc[0]
    gap = row["minus_concat"]
    assert re.search(rf"{gap:.3f} \[[−0-9.]+, [−0-9.]+\]", page)
    assert "minus concat low" not in page
    assert not re.search(r'(src|href)="http', page)
    assert "Intervals are over splits" in page
    alike = material({("concat", "natural"): 1.0, ("muse", "natural"): 1.4}, ("concat", "muse"), same_patients=True)
    assert "All seeds judge the same patients" in report(alike, [which(alike)], {})


def test_patients_are_whole_and_a_column_that_says_nothing_is_left_out() -> None:
    table = pd.DataFrame({"modality": ["labs", "vitals"], "patients": [56.0, 1234.0], "warning": ["", ""]})
    made = _tables(Answer(1, (), {"had_everyone_been_measured": table}, {}, {}))[0]
    assert [column["name"] for column in made["columns"]] == ["modality", "patients"]
    assert made["rows"] == [["labs", "56"], ["vitals", "1,234"]]
    warned = table.assign(warning=["", "few"])
    assert "warning" in str(_tables(Answer(1, (), {"had_everyone_been_measured": warned}, {}, {}))[0]["columns"])
