from __future__ import annotations

import pytest

from gdsfd.cohort.patients.split_names import read_split_names
from gdsfd.errors import InputError


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["train", "tuning", "test"], ["train", "tuning", "test"]),
        (["Train", "VALIDATION", "Test"], ["train", "tuning", "test"]),
        (["training", "val", "testing"], ["train", "tuning", "test"]),
        (["TRAIN", "Dev", "test set"], ["train", "tuning", "test"]),
        (["train", "train_set", "valid", "test"], ["train", "train", "tuning", "test"]),
        (["train", "validation", "external"], ["train", "tuning", "external"]),
        (["train", "tuning", "holdout", "test_b", None], ["train", "tuning", "holdout", "test_b", None]),
        (["train", "tuning", "held_out"], ["train", "tuning", "test"]),
        (["train", "tuning"], ["train", "tuning"]),
        (["train", "test_unbiased", "Site B"], ["train", "test_unbiased", "Site B"]),
    ],
)
def test_common_names(values: list[str | None], expected: list[str | None]) -> None:
    found = read_split_names("c", values)
    assert found.split == expected
    renamed = {value for value, name in zip(values, expected) if value != name}
    assert len(found.notes) == len(renamed)
    assert all(any(repr(value) in note for note in found.notes) for value in renamed)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["train", "validation"], r"'validation' \(1 patients\), which may be meant for tuning .* or for testing"),
        (["train", "Valid", "train"], "may be meant for tuning"),
        (["development", "test"], "'development' .* means training to some and tuning to others"),
        (["Derivation", "validation"], "'Derivation' .* means training to some"),
        (["train", "tuning", "validation", "test"], "'tuning' .*'validation' .* all are names of the tuning set"),
        (["train", "val", "dev", "test"], "all are names of the tuning set"),
        (["train", "test", "NA"], r"'NA' .* reads like a missing value, not like a split\. .*nullif"),
        (["train", "test", "unknown"], "reads like a missing value"),
        (["trian", "test"], "'trian' .* looks like a typing error of 'train'"),
        (["train", "tunning", "test"], "typing error of 'tuning'"),
        (["train", "validatoin", "test"], "typing error of 'validation'"),
        (["train", "external", "External"], "'external' .*'External' .* differ only in how they are written"),
    ],
)
def test_names_that_are_not_clear_are_refused(values: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_split_names("c", values)


def test_of_new_patients_validation_is_an_evaluation_set() -> None:
    assert read_split_names("c", ["validation", "Test"], to_train_on=False).split == ["validation", "test"]
