"""Comparisons of a column with a text that none of its cells is."""

from __future__ import annotations

import numpy as np
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.spec.row_expression import row_expression
from gdsfd.cohort.spec.text_conditions import Comparison
from gdsfd.cohort.spec_check import check_spec
from tests.cohort.small_exports import events, spec


def told(derive: dict[str, str] | None = None, where: str | None = None) -> list[str]:
    """The warnings of this kind, of a build and of a check alike, over units that are mg/dL and mmol/L."""
    frame = events()
    frame = frame.assign(
        unit=np.where(np.arange(len(frame)) % 2, "mg/dL", "mmol/L"), code=["7", "8"] * (len(frame) // 2)
    )
    entry = {"name": "m", "kind": "events", "source": frame, "id": "pid", "time": "minute", "item": "item"}
    made = spec({**entry, "value": "value", "derive": derive or {}, "where": where})
    found = [finding.text for finding in build_cohort(made).receipt.findings if finding.kind == "sql"]
    assert [finding.text for finding in check_spec(made).warnings if finding.kind == "sql"] == found
    return found


@pytest.mark.parametrize(
    ("condition", "absent"),
    [
        ("unit = 'mg/dl'", "'mg/dl'"),
        ("'mg/dl' = unit", "'mg/dl'"),
        ("unit <> 'mmol/l'", "'mmol/l'"),
        ("unit IN ('mgdl', 'nmol')", "'mgdl', 'nmol'"),
        ("unit IN ('mg/dl', 'mmol/L')", "'mg/dl'"),
        ("unit NOT IN ('mmol / L')", "'mmol / L'"),
        ("unit__text = 'mg'", "'mg'"),
        ("UNIT = 'mg'", "'mg'"),
        ("lower(item) = 'hr' AND unit = 'mg'", "'mg'"),
    ],
)
def test_a_text_that_no_cell_is(condition: str, absent: str) -> None:
    (text,) = told({"value": f"CASE WHEN {condition} THEN value / 18 ELSE value END"})
    assert text.startswith("derive.value: column 'unit' is compared with ")
    assert f"with {absent}, which stands in none of its cells." in text
    assert ("Did you mean 'm" in text) == any(sign in absent for sign in ("d", "l"))


@pytest.mark.parametrize(
    "condition",
    [
        "unit = 'mg/dL'",
        "unit IN ('mg/dL', 'g/L')",  # one of a list is there
        "unit <> 'pg'",
        "unit NOT IN ('pg', 'U')",
        "unit = ''",
        "lower(unit) = 'mg/dl'",
        "code = '9'",  # numbers are compared as numbers
        "unit = item",
    ],
)
def test_comparisons_that_may_be_meant(condition: str) -> None:
    assert told({"value": f"CASE WHEN {condition} THEN value / 18 ELSE value END"}) == []


@pytest.mark.parametrize(
    ("condition", "words", "near"),
    [
        ("unit LIKE 'MG%'", "unit LIKE 'MG%'", "mg/dL"),
        ("unit NOT LIKE 'MG%'", "unit LIKE 'MG%'", "mg/dL"),
        ("NOT unit GLOB 'Mm*'", "unit GLOB 'Mm*'", "mmol/L"),
        ("unit ILIKE 'pg%'", "unit ILIKE 'pg%'", ""),
        ("regexp_matches(unit, '^MG')", "regexp_matches(unit, '^MG')", "mg/dL"),
        ("regexp_matches(unit, '^\\d')", "regexp_matches(unit, '^\\d')", ""),
        ("unit SIMILAR TO 'Mmol.*'", "regexp_full_match(unit, 'Mmol.*')", "mmol/L"),
        ("starts_with(unit__text, 'Mg')", "starts_with(unit__text, 'Mg')", "mg/dL"),
        ("strpos(unit, 'DL') = 0", "strpos(unit, 'DL') > 0", "mg/dL"),
        ("list_contains(['MG/DL', 'g'], unit)", "list_contains(list_value('MG/DL', 'g'), unit)", "mg/dL"),
        ("lower(unit) = 'mg/dL'", "lower(unit) = 'mg/dL'", "mg/dL"),
        ("upper(unit) <> 'mg/dl'", "upper(unit) = 'mg/dl'", "mg/dL"),
        ("substr(unit, 1, 2) IN ('MG', 'UG')", "substr(unit, 1, 2) IN ('MG', 'UG')", "mg/dL"),
        ("coalesce(unit, 'none') = 'MMOL/L'", "COALESCE(unit, 'none') = 'MMOL/L'", "mmol/L"),
    ],
)
def test_a_condition_that_no_cell_meets(condition: str, words: str, near: str) -> None:
    (text,) = told({"value": f"CASE WHEN {condition} THEN value / 18 ELSE value END"})
    assert text.startswith(f"derive.value: {words} is true of none of the cells of column 'unit'.")
    assert ("Did you mean" in text) == bool(near)
    assert not near or f"Did you mean '{near}'? Upper and lower case are different there" in text


@pytest.mark.parametrize(
    "condition",
    [
        "unit LIKE 'mg%'",
        "unit ILIKE 'MG%'",
        "unit NOT LIKE '%test%'",  # there to be safe
        "NOT starts_with(unit, 'x')",
        "strpos(unit, 'mmol') > 0",
        "upper(unit) = 'MG/DL'",
        "lower(unit) <> 'pg'",
        "unit || item LIKE 'x%'",  # of two columns
        "unit LIKE ''",
    ],
)
def test_conditions_that_may_be_meant(condition: str) -> None:
    assert told({"value": f"CASE WHEN {condition} THEN value / 18 ELSE value END"}) == []


def test_conditions_on_a_column_of_very_many_texts_are_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gdsfd.cohort.sources.absent_words._TESTED_CELLS", 1)
    assert told(where="unit NOT LIKE 'MG%'") == []


def test_filters_words_of_a_case_and_columns_that_are_derived() -> None:
    (text,) = told(where="unit = 'mg/dL' OR item = 'hrt'")
    assert text.startswith("where: column 'item' is compared with 'hrt', which")
    (text,) = told({"value": "CASE unit WHEN 'mg/dl' THEN value / 18 ELSE value END"})
    assert "Did you mean 'mg/dL'?" in text
    assert told({"unit": "lower(unit)"}, where="unit = 'mg/dl'") == []
    made = spec(cohort={"where": "site = 'South' OR sex = 'F'"})
    (text,) = [finding.text for finding in build_cohort(made).receipt.findings if finding.kind == "sql"]
    assert text.startswith("where: column 'site' is compared with 'South', which stands in none of its cells. Did you")


def test_what_an_expression_compares() -> None:
    assert row_expression("a = 'x' AND NOT b IN ('y', 'y', 'z') OR c = 7 OR d LIKE 'e%'").compared == (
        Comparison("a", ("x",)),
        Comparison("b", ("y", "z"), unequal=True),
    )
