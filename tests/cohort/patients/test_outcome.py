from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gdsfd.cohort.patients.outcome import Labels, check_classes, read_labels, strata_of
from gdsfd.cohort.schema import OutcomeFields
from gdsfd.cohort.spec import OutcomeSpec
from gdsfd.errors import InputError


def read(cells: list[str | None], fitted: list[OutcomeFields] | None = None, **fields: Any) -> Labels:
    ids = [f"{k:03d}" for k in range(len(cells))]
    return read_labels([OutcomeSpec(name="d", column="c", **fields)], {"c": cells}, ids, "patient.csv", fitted)


def labels(cells: list[str | None], **fields: Any) -> list[float | None]:
    return [None if value != value else float(value) for value in read(cells, **fields).y.reshape(-1)]


def test_binary_with_both_sides_declared() -> None:
    assert labels(["1.0", "0", "x", None], positive=1, negative="0") == [1, 0, None, None]


def test_binary_with_everything_else_negative() -> None:
    assert labels(["4", "0", "x", None, "-9"], positive=[3, 4], missing=[-9]) == [1, 0, 0, None, None]


def test_several_classes() -> None:
    found = read(["AD", "CN", "other", None], classes=["CN", "MCI", "AD"])
    assert found.y.dtype == np.int64
    assert found.y.tolist() == [2, 0, -1, -1]
    assert found.fields[0].multiclass
    assert found.fields[0].classes == ("CN", "MCI", "AD")
    assert any("1 patients with 'other' are unlabelled" in note for note in found.notes)
    assert any("1 patients have no value" in note for note in found.notes)


def test_several_outcomes() -> None:
    outcomes = [
        OutcomeSpec(name="a", column="x", positive=1),
        OutcomeSpec(name="b", column="y", positive="p", negative="n"),
    ]
    found = read_labels(outcomes, {"x": ["1", "0"], "y": ["q", "p"]}, ["a", "b"])
    y, fields = found.y, found.fields
    assert y.dtype == np.float32
    assert np.isnan(y[0, 1])
    assert y[:, 0].tolist() == [1, 0]
    assert y[1, 1] == 1
    assert [field.classes for field in fields] == [("0", "1"), ("n", "p")]


def test_the_negative_class_of_many_values_is_named_by_the_positive() -> None:
    fields = read(["0", "1", "2"], positive=0).fields
    assert fields[0].classes == ("not 0", "0")


SIDES: dict[str, Any] = {"positive": 1, "negative": 0}
STAGES: dict[str, Any] = {"classes": ["CN", "MCI", "AD"]}


def check(cells: list[str | None], split: list[str], **fields: Any) -> None:
    found = read(cells, **fields)
    check_classes(found.y, split, found.fields, "patient.csv", {"c": cells})


@pytest.mark.parametrize(
    ("cells", "split", "fields", "message"),
    [
        (["0", "0", None], "aaa", SIDES, r"'d' \(column 'c' of patient.csv\) has only '0' \(2 patients\)"),
        (["0", "1", "0"], "aba", SIDES, r"only '0' .* in train; expected each of '0', '1', nobody has '1'"),
        (["w", "x", None], "aaa", SIDES, r"no labelled patient; .* values are 'w', 'x'. Check 'positive', 'negative'"),
        (["alive", "expired"], "aa", {"positive": "expried"}, r"nobody has 'expried'. Did you mean 'expired'\? The"),
        (["AD", "CN"], "aa", STAGES, r"only 'CN', 'AD' .*nobody has 'MCI'. .* Check 'classes'"),
        (["AD", "CN", "MCI"], "aab", STAGES, r"in train; .*'MCI'.* class too rare to be learned"),
    ],
)  # fmt: skip
def test_a_class_that_nobody_has_is_refused_overall_and_in_train(
    cells: list[str | None], split: str, fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        check(cells, [{"a": "train", "b": "test"}[letter] for letter in split], **fields)


def test_a_class_may_be_absent_from_test() -> None:
    check(["0", "1", "0"], ["train", "train", "test"], positive=1, negative=0)


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


def test_strata_put_the_rarest_last() -> None:
    assert strata_of(np.array([[0], [0], [1], [np.nan], [0], [np.nan]], dtype=np.float32)).tolist() == [
        0,
        0,
        2,
        1,
        0,
        1,
    ]
    assert strata_of(np.array([2, 2, -1])).tolist() == [0, 0, 1]
