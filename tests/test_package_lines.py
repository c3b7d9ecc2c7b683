"""The table and sentences on cohorts of Python packages follow from their lines."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.test_documentation import docs_module

pages = docs_module("package_lines")


def line(cohort: str, arm: str, auroc: float, auprc: float = 0.5, **other: Any) -> dict[str, Any]:
    given = {"cohort": cohort, "arm": arm, "auroc": auroc, "auprc": auprc, "patients": 1234, "commit": "0123456789ab"}
    interval = {"auroc_minus_boosting": auroc - 0.8, "auroc_minus_boosting_interval": [auroc - 0.81, auroc - 0.79]}
    return given | interval | {"dirty": False} | other


LINES = [
    line("one", "muse", 0.7),  # measured again below
    line("one", "boosting", 0.80, 0.60),
    line("one", "muse", 0.82, 0.61),
    line("two", "boosting", 0.80, 0.60),
    line("two", "muse", 0.806, 0.57),
]


def test_differences_are_of_the_newest_lines_by_cohort():
    assert pages.gaps(LINES, "muse", "boosting") == pytest.approx({"one": 0.02, "two": 0.006})
    assert pages.gaps(LINES, "muse", "boosting", "auprc") == pytest.approx({"one": 0.01, "two": -0.03})
    assert pages.gaps([*LINES, line("three", "muse", 0.9)], "muse", "boosting").keys() == {"one", "two"}


def test_the_interval_is_students_over_cohorts():
    mean, low, high = pages.over_cohorts([0.0, 0.01, 0.02])
    assert mean == pytest.approx(0.01)
    assert high - mean == pytest.approx(4.302653 * 0.01 / math.sqrt(3), rel=1e-5)
    assert mean - low == pytest.approx(high - mean)
    assert math.isnan(pages.over_cohorts([0.1])[1])


def test_rows_and_sentences():
    head, one, two = pages.package_rows(LINES)
    assert head == ["cohort", "patients", "boosting", "muse less it"]
    assert one == ["one", "1,234", "0.800", "**+0.020** [+0.010, +0.030]"]
    assert two[3] == "+0.006 [-0.004, +0.016]"
    said = pages.sentence(LINES, "muse", "boosting")
    assert said.startswith("muse less boosting: +0.013 [")
    assert "AUROC (higher on 2 of 2)" in said
    assert "AUPRC (higher on 1 of 2)" in said
    text = "\n".join(pages.package_cohorts(LINES))
    assert f"- {said}." in text
    assert "Commit ``01234567``." in text
    assert "- muse: clearly above boosting on 1 of 2, clearly below on 0." in text


def test_clearly_is_by_the_newest_interval_of_each_cohort():
    lines = [*LINES, line("three", "muse", 0.7), line("one", "muse", 0.8)]
    assert pages.clearly(lines, "muse") == "muse: clearly above boosting on 0 of 3, clearly below on 1"
