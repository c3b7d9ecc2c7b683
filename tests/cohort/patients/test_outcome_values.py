"""Values of an outcome column that nobody declared: refused where they cannot be meant, told otherwise."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.patients.outcome_values import MAX_LISTED, OutcomeValues, value_rows
from gdsfd.cohort.schema import OutcomeFields
from gdsfd.cohort.spec import OutcomeSpec
from gdsfd.errors import InputError
from tests.cohort.patients.outcome_cells import labels, read
from tests.cohort.small_exports import patients, spec


@pytest.mark.parametrize(
    "token",
    ["NA", "N/A", "n.a.", "null", "None", "nan", "NaN", "-nan", ".", "\\N", "-", "--", "?", "unknown", "Missing",
     "not available", "Not Known", "#N/A", "<NA>", "(null)", "NaT", "#VALUE!", "unbekannt"],
)  # fmt: skip
def test_a_missing_token_is_never_negative(token: str) -> None:
    cells: list[str | None] = ["yes", "no", token]
    with pytest.raises(
        InputError, match=r"'d' \(column 'c' of patient.csv\) holds .* \(1 patients\), e.g. id '002', whi"
    ):
        read(cells, positive="yes")
    assert labels(cells, positive="yes", missing=token) == [1, 0, None]
    assert labels(cells, positive="yes", negative="no") == [1, 0, None]
    assert labels(cells, positive="yes", negative=["no", token]) == [1, 0, 0]
    assert not read(cells, positive="yes", negative="no").findings  # it reads as unlabelled, and is


@pytest.mark.parametrize(
    "cells", ["0 1 -9", "0 1 -1", "0 1 9", "0 1 99", "0 1 2 999", "1 2 8 9", "0.0 1.0 -4.0", "1 -9"]
)
def test_a_number_apart_is_no_negative(cells: str) -> None:
    with pytest.raises(InputError, match=r"reads like a missing value and is not declared.*missing = \["):
        read([*cells.split()], positive=1)


@pytest.mark.parametrize(("cells", "positive"), [("-1 1", 1), ("0 1 2 3 4 5 6 7 8 9", 3), ("+ -", "+"), ("1 2", 1)])
def test_numbers_of_a_scale_are_negative(cells: str, positive: Any) -> None:
    assert set(labels([*cells.split()], positive=positive)) == {0, 1}


@pytest.mark.parametrize(
    ("cell", "fields"),
    [
        ("Yes", {"positive": "yes"}), ("YES", {"positive": "yes", "negative": "no"}), ("ja\u200b", {"positive": "ja"}),
        ("yes.", {"positive": "yes"}), ("Y", {"positive": "yes"}), ("1", {"positive": "yes"}), ("yes", {"positive": 1}),
        ("Decede", {"positive": "Décédé", "negative": "no"}), ("in hospital", {"positive": "in-hospital"}),
        ("No", {"positive": "x", "negative": "no"}), ("mci", {"classes": ["CN", "MCI"]}), ("1,0", {"positive": 1}),
        ("Lost", {"positive": "yes", "missing": "lost"}), ("ja\u00a0", {"positive": "ja"}),
    ],
)  # fmt: skip
def test_another_spelling_of_a_declared_value_is_refused(cell: str, fields: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"differ from a declared one only in how they are written: .* e.g. id '001'"):
        read(["something", cell], **fields)


def test_several_undeclared_values_are_a_warning_with_counts() -> None:
    found = read(["yes", "no", "no", "Expird", "pending"], positive="yes")
    (finding,) = found.findings
    assert (finding.kind, finding.where, finding.value) == ("labels", "d", 3)
    assert "3 different values count as negative" in finding.text
    assert "'no' (2 patients), 'Expird' (1 patients), 'pending' (1 patients)" in finding.text
    assert not read(["yes", "no"], positive="yes").findings
    assert not read(["1", "0", "0.0"], positive=1).findings  # one number
    assert not read(["1", "0", "2", "3"], positive=1, negative=[0, 2, 3]).findings


def test_a_third_value_beside_declared_classes_is_a_warning() -> None:
    found = read(["Expired", "Alive", "Transferred", "Expird"], positive="Expired", negative="Alive")
    assert found.y[:, 0].tolist()[:2] == [1, 0]
    assert np.isnan(found.y[2:]).all()
    (finding,) = found.findings
    assert "unlabelled: 'Expird' (1 patients), 'Transferred' (1 patients) ('Expird' is near 'Expired')" in finding.text
    assert "unlabelled: 'c'" in read(["a", "b", "c"], classes=["a", "b"]).findings[0].text


def test_a_listed_value_that_nobody_has_is_a_warning() -> None:
    (finding,) = read(["1", "2", "0"], positive=[1, 2, 3], negative=0).findings
    assert finding.text == "positive lists 3, which no patient has."


def test_new_patients_keep_the_fitted_words() -> None:
    fitted = [OutcomeFields("d", "c", ("no", "yes"))]
    assert not read(["no", "no", None], fitted, positive="yes").findings
    (finding,) = read(["alive", "yes"], fitted, positive="yes").findings
    assert "'alive' (1 patients) count as negative, which the model knows as 'no'" in finding.text
    (finding,) = read(["alive", "dead"], fitted, positive="yes", negative="no").findings[1:]
    assert "no patient has any of the declared values; the column's values are 'alive', 'dead'" in finding.text
    with pytest.raises(InputError, match="only in how they are written"):
        read(["Yes", "no"], fitted, positive="yes")


def test_the_receipt_lists_every_value() -> None:
    rows = read(["yes", "no", "no", "dunno", None, "?"], positive="yes", missing="?").values
    assert [(row["value"], row["patients"], row["class"], row["declared"]) for row in rows] == [
        ("no", 2, "not yes", False),
        ("?", 1, None, True),
        ("dunno", 1, "not yes", False),
        ("yes", 1, "yes", True),
        (None, 1, None, True),
    ]
    many = read(["yes", *(f"v{k}" for k in range(80))], positive="yes")
    assert sum(row.get("pooled", 1) for row in many.values) == 81
    assert sum(row["patients"] for row in many.values) == 81
    assert len(many.findings[0].text) < 500


def test_rows_beyond_the_listed_ones_are_pooled_by_class_and_add_up() -> None:
    outcome = OutcomeSpec(name="d", column="c", positive=["v0", "v59"])
    counts = Counter({f"v{k}": 100 - k for k in range(60)})
    class_of = {value: int(value in ("v0", "v59")) for value in counts}
    values = OutcomeValues(outcome, "c.csv", counts, 3, class_of, ("no", "yes"), frozenset(("v0", "v59")), str)
    rows = value_rows(values)
    assert [row["value"] for row in rows[:MAX_LISTED]] == [f"v{k}" for k in range(MAX_LISTED)]
    pooled = [(row["class"], row["pooled"], row["patients"]) for row in rows if "pooled" in row]
    assert pooled == [("no", 9, sum(100 - k for k in range(50, 59))), ("yes", 1, 41)]
    assert rows[-1] == {"outcome": "d", "value": None, "patients": 3, "class": None, "declared": True}
    assert sum(row["patients"] for row in rows) == sum(counts.values()) + 3


def test_a_declared_missing_value_that_nobody_has_is_told() -> None:
    found = read(["yes", "no", "lost"], positive="yes", negative="no", missing=["lst", "", "gone"])
    assert [finding.text for finding in found.findings][-1] == (
        "missing lists 'lst', 'gone', which no patient has. Did you mean 'lost'?"
    )
    assert read(["1", "0", "9.0"], positive=1, negative=0, missing=[9, ""]).findings == []


@pytest.mark.parametrize(("negative", "warned"), [([], True), ([2], False)])
def test_levels_that_are_numbered_from_one(negative: list[int], warned: bool) -> None:
    table = patients().assign(died=np.where(patients()["died"] == "yes", "1", "2"))
    outcome = {"name": "death", "column": "died", "positive": 1, "negative": negative}
    found = [each.text for each in build_cohort(spec(cohort={"source": table}, outcome=outcome)).receipt.findings]
    assert (
        any("write 1 for no and 2 for yes. Say negative = [2] if 1 is the outcome" in text for text in found) == warned
    )


def test_one_column_as_two_outcomes() -> None:
    outcomes = [
        {"name": "death", "column": "died", "positive": "yes", "negative": "no"},
        {"name": "survival", "column": "died", "positive": "no", "negative": "yes"},
        {"name": "dead", "column": "died", "positive": "yes", "negative": "no"},
    ]
    found = [each for each in build_cohort(spec(outcome=outcomes)).receipt.findings if "given twice" in each.text]
    assert [(each.where, each.text[:54]) for each in found] == [
        ("dead", "the labels are those of 'death' for every patient: was")
    ]
