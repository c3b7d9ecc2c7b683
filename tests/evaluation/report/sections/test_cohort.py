"""The receipt on the page: what was left out and why, splits, warnings, notes."""

from __future__ import annotations

import re
from types import SimpleNamespace

from gdsfd.cohort.receipt.receipt import Drop, Finding, Receipt, SourceReceipt
from gdsfd.cohort.schema import CohortSchema
from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.report.sections.cohort import CohortSection


def shown(**parts):
    cohort = SourceReceipt("cohort", "cohort", ["<patients>.csv"], 1200, 1100, 1100)
    labs = SourceReceipt("labs", "events", ["a.csv", "b.csv"], 5000, 4000, 800)
    labs.drops += [Drop("outside the window", 900, ["p1", "p2", "p3", "p4"]), Drop("id <not> in the cohort", 100)]
    labs.notes.append("two units & one name")
    data = Receipt(cohort=cohort, modalities=[labs]).to_dict() | parts
    return CohortSection().render(data, CohortSchema((), ()), EvaluationConfig())


def test_rows_and_why_they_were_left_out():
    page = shown()
    text = re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", page))
    assert "cohort &lt;patients&gt;.csv 1,200 1,100 1,100 nothing" in text
    assert "labs events a.csv, b.csv 5,000 4,000 800 900: outside the window (p1, p2, p3, …)" in text
    assert "100: id &lt;not&gt; in the cohort" in text
    assert "p4" not in text
    assert '<h3>labs</h3><ul class="plain"><li>two units &amp; one name</li></ul>' in page
    assert "Splits" not in text
    assert "warns" not in text


def test_splits_with_the_share_of_every_outcome_and_warnings():
    row = {"split": "test", "patients": 1000, "subjects": 900, "labelled": 950}
    rates = {"died": 0.125, "left": None}
    findings = [Finding("leakage", "labs.x", "ranks <too> well").__dict__]
    page = shown(tables={"splits": [{**row, "outcome_rate": rates}]}, subjects={"overlap": 3}, findings=findings)
    assert '<td>test</td><td class="n">1,000</td><td class="n">900</td><td class="n">950</td>' in page
    assert "died 12.5\xa0%, left –" in page
    assert "Subjects in more than one split: 3." in page
    assert "<b>labs.x</b>: ranks &lt;too&gt; well" in page


def test_a_graph_without_a_receipt_has_no_such_section():
    class Graph(dict):
        receipt = None

    for graph in (Graph(), Graph(receipt=None)):
        assert CohortSection().judge(SimpleNamespace(graph=graph)) is None
