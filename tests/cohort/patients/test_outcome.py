"""Labels of outcome columns, and classes that nobody has."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gdsfd.cohort.patients.outcome import check_classes, read_labels, strata_of
from gdsfd.cohort.spec import OutcomeSpec
from gdsfd.errors import InputError
from tests.cohort.patients.outcome_cells import labels, read


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
