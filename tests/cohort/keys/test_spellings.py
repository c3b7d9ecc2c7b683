from __future__ import annotations

import pytest

from gdsfd.cohort.keys.spellings import differs_in_spelling, equal_values, reads_as_missing


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


@pytest.mark.parametrize(
    ("text", "declared", "alike"),
    [
        ("YES", "yes", True), ("Décédé", "decede", True), ("non expired", "Non-expired", True), ("Maß", "MASS", True),
        ("\uff39\uff25\uff33", "yes", True), ("no", "yes", False), ("<5", ">5", False), ("+", "-", False),
        ("A+", "A-", False),
        ("1.5", "15", False), ("2-1", "21", False), ("stage 1", "stage 2", False), ("10", 1, False),
        ("FALSE", "no", True), ("survived", "yes", False), ("n", "nein", False),
    ],
)  # fmt: skip
def test_spellings_of_one_word(text: str, declared: object, alike: bool) -> None:
    assert differs_in_spelling(text, declared) is alike


@pytest.mark.parametrize("text", ["no", "0", "negative", "normal", "n", "+", "other", "pending", "Na+", "name", "-1"])
def test_words_that_mean_something(text: str) -> None:
    assert not reads_as_missing(text)
