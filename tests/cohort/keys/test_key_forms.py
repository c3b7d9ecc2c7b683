from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from gdsfd.cohort.keys.key_forms import NearKeys, pairs_shown, plain_form, spelling_form

#: Spellings of one key, by groups; keys of different groups are different.
ALIKE = [
    ["100000", "1e+05", "1E5", "100000.0", "100,000", "100 000", "'100000'", '"100000"', '="100000"', "+100000"],
    ["7", "7.0", "7.000", "007", "07.0", " 7", "7\u00a0", "\ufeff7", "\uff17", "7e0", "[7]", "(7)", "'7"],
    ["7.5", "7.50", "07.5", "75e-1"],
    ["male", "Male", "MALE ", "\u200bmale", "\uff2dale"],
    ["heart rate", "Heart  Rate", "heart\u00a0rate", "heart\trate"],
    ["x-ray", "X\u2011ray", "x\u2013ray"],
    ["1", "true", "TRUE", "1.0", "True "],
    ["0", "false", "-0", "0.0", "000"],
    ["2020-01-05", "2020-01-05 00:00:00", "2020-01-05T00:00:00Z", "2020/1/5", "2020-01-05 00:00:00.000"],
    [
        "550e8400e29b41d4a716446655440000",
        "550E8400-E29B-41D4-A716-446655440000",
        "{550e8400-e29b-41d4-a716-446655440000}",
    ],
    ["1234567", "1,234,567", "1.234.567", "1'234'567", "1.234567e6"],
    ["e11.9", "E11.9"],
    ["stra\u00dfe", "STRASSE"],
    ["p-1"],
    ["p1"],
    ["-7"],
    ["1.2.3"],
    ["12:30"],
    ["2020-01-05 12:30:00"],
    ["e"],
    ["nan"],
]


@pytest.mark.parametrize("keys", ALIKE, ids=lambda keys: keys[0])
def test_spellings_of_one_key_have_one_plain_form(keys: list[str]) -> None:
    assert {plain_form(key) for key in keys} == {plain_form(keys[0])}


def test_different_keys_have_different_plain_forms() -> None:
    forms = [plain_form(keys[0]) for keys in ALIKE]
    assert len(set(forms)) == len(forms)


def test_a_plain_form_is_its_own_plain_form() -> None:
    for key in itertools.chain(*ALIKE):
        assert plain_form(plain_form(key)) == plain_form(key)


@pytest.mark.parametrize("write", [str, float, "{:.3f}".format, "{:,}".format, "{:.10e}".format, "{:012d}".format])
def test_whole_numbers_against_python(write: object) -> None:
    random = np.random.default_rng(0)
    for number in [*range(20), *random.integers(0, 10**9, 300).tolist()]:
        assert plain_form(str(write(number))) == str(number)  # type: ignore[operator]


def test_what_spreadsheets_and_frames_write_is_near_to_what_was_there() -> None:
    ids = pd.Series([100000, 7, 1200000])
    for written in (ids.astype(float).astype(str), ids.map("{:.6g}".format), ids.map("{:,}".format)):
        near = NearKeys(ids.astype(str))
        assert [near.of(key) for key in written] == ids.astype(str).tolist()


def test_the_spelling_form_leaves_numbers_alone() -> None:
    assert len({spelling_form(key) for key in ("7", "7.0", "007", "7e0")}) == 4
    assert spelling_form(" A \u00a0b\u200b ") == "a b"


@pytest.mark.parametrize("slashes", ["05/01/2020", "01/05/2020", "5.1.2020", "1/5/2020 0:00"])
def test_a_date_with_its_year_last_is_near_to_either_reading(slashes: str) -> None:
    assert NearKeys(["2020-01-05"]).of(slashes) == "2020-01-05"
    assert NearKeys([slashes]).of("2020-01-05T00:00:00") == slashes
    assert NearKeys([slashes]).of("2020-02-05") is None


def test_dates_of_one_notation_are_near_only_where_they_are_equal() -> None:
    assert NearKeys(["2020-03-04"]).of("2020-04-03") is None
    assert NearKeys(["03/04/2020"]).of("04/03/2020") is None


def test_pairs_are_those_of_unknown_keys_by_name() -> None:
    near = NearKeys(["7", "07", "x"])
    assert near.pairs(["X", "y", "007"]) == [("007", "7"), ("X", "x")]
    assert (
        pairs_shown([(str(k), "0") for k in range(5)]) == "'0' against '0', '1' against '0', '2' against '0' and 2 more"
    )


def test_endless_and_empty_keys() -> None:
    for key in ("", "'", '"', "=", "9" * 5000, "1e999", "-" * 3000, "(" * 3000 + ")" * 3000, "1," * 500):
        plain_form(key)
