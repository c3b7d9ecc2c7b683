from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gdsfd.cohort.outcome import check_classes, equal_values, read_labels, strata_of
from gdsfd.cohort.spec import OutcomeSpec
from gdsfd.errors import InputError


def labels(cells: list[str | None], **fields: Any) -> list[float]:
    y, _, _ = read_labels([OutcomeSpec(name="d", column="c", **fields)], {"c": cells}, len(cells))
    return [None if value != value else float(value) for value in y.reshape(-1)]  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "declared", "equal"),
    [
        ("1", 1, True), ("1.0", 1, True), ("1", "1.0", True), ("01", 1, True), ("1", True, True), ("True", True, True),
        ("t", True, True), ("0", False, True), ("FALSE", False, True), ("Expired", "Expired", True),
        ("expired", "Expired", False), ("1", 0, False), ("2", True, False), ("yes", 1, False), ("1_0", 10, False),
        ("true", 1, True), ("False", 0, True), ("true", "1", True), ("true", 0, False), ("false", "no", False),
        ("true", 2, False), ("true", "True", True), ("false", "FALSE", True), ("false", "True", False),
    ],
)  # fmt: skip
def test_values_compare_as_text_and_as_numbers(text: str, declared: object, equal: bool) -> None:
    assert equal_values(text, declared) is equal


def test_binary_with_both_sides_declared() -> None:
    assert labels(["1.0", "0", "x", None], positive=1, negative="0") == [1, 0, None, None]


def test_binary_with_everything_else_negative() -> None:
    assert labels(["4", "0", "x", None, "-9"], positive=[3, 4], missing=[-9]) == [1, 0, 0, None, None]


def test_several_classes() -> None:
    y, fields, notes = read_labels(
        [OutcomeSpec(name="d", column="c", classes=["CN", "MCI", "AD"])], {"c": ["AD", "CN", "other", None]}, 4
    )
    assert y.dtype == np.int64
    assert y.tolist() == [2, 0, -1, -1]
    assert fields[0].multiclass
    assert fields[0].classes == ("CN", "MCI", "AD")
    assert any("1 patients with 'other' are unlabelled" in note for note in notes)
    assert any("1 patients have no value" in note for note in notes)


def test_several_outcomes() -> None:
    outcomes = [
        OutcomeSpec(name="a", column="x", positive=1),
        OutcomeSpec(name="b", column="y", positive="p", negative="n"),
    ]
    y, fields, _ = read_labels(outcomes, {"x": ["1", "0"], "y": ["q", "p"]}, 2)
    assert y.dtype == np.float32
    assert np.isnan(y[0, 1])
    assert y[:, 0].tolist() == [1, 0]
    assert y[1, 1] == 1
    assert [field.classes for field in fields] == [("0", "1"), ("n", "p")]


def test_the_negative_class_of_many_values_is_named_by_the_positive() -> None:
    _, fields, _ = read_labels([OutcomeSpec(name="d", column="c", positive=0)], {"c": ["0", "1", "2"]}, 3)
    assert fields[0].classes == ("not 0", "0")


def test_one_class_is_an_error_overall_and_in_train() -> None:
    outcomes = [OutcomeSpec(name="death", column="c", positive=1, negative=0)]
    y, fields, _ = read_labels(outcomes, {"c": ["0", "0", None]}, 3)
    with pytest.raises(InputError, match=r"outcome 'death' \(column 'c' of patient.csv\) has only '0' \(2 patients\)"):
        check_classes(y, ["train"] * 3, fields, "patient.csv")
    y, fields, _ = read_labels(outcomes, {"c": ["0", "1", "0"]}, 3)
    with pytest.raises(InputError, match=r"only '0' .* in train"):
        check_classes(y, ["train", "test", "train"], fields, "patient.csv")
    check_classes(y, ["train", "train", "test"], fields, "patient.csv")
    y, fields, _ = read_labels(outcomes, {"c": [None, "x", None]}, 3)
    with pytest.raises(InputError, match=r"no labelled patient; .*\. The column's values are 'x'\. Check 'positive'"):
        check_classes(y, ["train"] * 3, fields, "patient.csv", {"c": [None, "x", None]})


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
