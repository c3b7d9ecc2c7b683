"""What a notebook shows of a receipt and of a graph; the estimator's is in training/test_estimator.py."""

from __future__ import annotations

from gdsfd.cohort.receipt.receipt import Finding
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.notebook_table import notebook_table
from tests.cohort_factory import make_cohort


def test_names_and_facts_are_escaped():
    assert "<i>" not in notebook_table("<i>", {"<i>": "<i>", "rows": 3})
    assert "<td>3</td>" in notebook_table("title", {"rows": 3})


def test_a_receipt_shows_its_sources_and_warnings():
    receipt = make_cohort(60).receipt
    receipt.findings = [Finding("leakage", "labs.<lactate>", "looks like the outcome & more")]
    html = receipt._repr_html_()
    assert "<th>cohort</th><td>60 of 60 rows kept" in html
    assert "leakage: labs.&lt;lactate&gt;</th><td>looks like the outcome &amp; more" in html
    assert repr(receipt) == str(receipt) == "Receipt(60 patients, 1 warnings)"


def test_a_graph_shows_patients_splits_and_modalities():
    graph = graph_from_cohort(make_cohort(60))
    html = graph._repr_html_()
    assert "<th>patients</th><td>60</td>" in html
    assert f"train {graph['patient'].split.count('train')}" in html
    assert html.count("<th>modality ") == len(graph.edge_types)
