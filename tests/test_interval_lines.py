"""The table of simulated coverage follows from the lines of the simulation."""

from __future__ import annotations

from typing import Any

from tests.test_documentation import docs_module

pages = docs_module("interval_lines")


def line(positives: int, coverage: float | None, printed: float = 1.0, per_subject: int = 1) -> dict[str, Any]:
    design = {"positives": positives, "per_subject": per_subject, "auroc": coverage}
    return {"design": design, "figures": {"auroc": {"coverage": coverage, "printed": printed}}}


def test_the_lowest_coverage_by_positive_subjects_and_a_dash_where_hardly_any_is_printed():
    lines = [
        line(5, 0.97),
        line(5, 0.94),
        line(10, 0.93, per_subject=2),
        line(30, 0.5, printed=0.1),
        line(300, None, 0),
    ]
    lines.append({"seeds": 3, "skewed": True, "figures": {"paired difference": {"coverage": 0.951, "printed": 1.0}}})
    text = "\n".join(pages.interval_coverage(lines))
    assert "* - figure\n     - 5 positive\n     - 30 positive\n     - 300 positive" in text
    assert "* - auroc\n     - 93 %\n     - –\n     - –" in text
    assert "* - paired difference\n     - 95 %" in text


def test_of_the_same_design_the_newest_line_counts():
    old, new = line(5, 0.5), line(5, 0.96)
    new["design"] = old["design"]
    assert "- 96 %" in "\n".join(pages.interval_coverage([old, new]))
