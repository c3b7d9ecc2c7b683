"""Levels, items and codes of new patients: known in another spelling is refused, mostly unknown is a warning."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.cohort import Cohort
from gdsfd.cohort.keys.new_keys import judge_new_keys
from gdsfd.cohort.receipt.receipt import Finding
from gdsfd.errors import InputError
from tests.cohort.small_exports import PATIENTS, patients, spec

IDS = [f"{k:03d}" for k in range(PATIENTS)]
KINDS: dict[str, dict[str, Any]] = {
    "levels": {"kind": "table", "categorical": ["key"], "min_level_count": 1},
    "items": {"kind": "events", "item": "key", "min_count": 1},
    "codes": {"kind": "codes", "code": "key", "min_count": 1},
}


@cache
def fitted_on(keys: tuple[Any, ...], dtype: str | None = None) -> Cohort:
    return build_cohort(spec(entries(pd.Series(keys, dtype=dtype))))


def entries(keys: Any, *kinds: str, **fields: Any) -> list[dict[str, Any]]:
    frame = pd.DataFrame({"pid": IDS, "key": keys})
    return [{"name": kind, "source": frame, "id": "pid", **KINDS[kind], **fields} for kind in kinds or KINDS]


def again(fitted: Cohort, keys: Any, **fields: Any) -> Cohort:
    return build_cohort(spec(entries(keys, **fields), cohort={"source": patients()}), like=fitted.schema)


def told(cohort: Cohort) -> list[Finding]:
    return [each for each in cohort.receipt.findings if each.kind in ("unseen", "spelling")]


def same(one: Cohort, other: Cohort) -> bool:
    return all(
        np.array_equal(array, vars(other.observations[kind])[name], equal_nan=array.dtype.kind == "f")
        for kind in KINDS
        for name, array in vars(one.observations[kind]).items()
    )


NUMBERS = (1, 2, 3, 4) * 10
TEXTS = ("Male", "Female", "Other", "Not said") * 10
DATES = ("2020-01-05", "2020-02-05") * 20


@pytest.mark.parametrize("first", [None, "float"])
@pytest.mark.parametrize("then", [int, float, str, "float32", "Int64"])
def test_whole_numbers_are_the_same_whatever_their_type(first: str | None, then: Any) -> None:
    fitted = fitted_on(NUMBERS, first)
    new = again(fitted, pd.Series(NUMBERS).astype(then))
    assert same(fitted, new)
    assert told(new) == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("keys", "change", "pair"),
    [
        (NUMBERS, "{}e0".format, "'1e0' against '1'"),
        (NUMBERS, "0{}".format, "'01' against '1'"),
        (TEXTS, str.lower, "'female' against 'Female'"),
        ((True, False) * 20, int, "'0' against 'false'"),
        (DATES, "{} 00:00:00".format, "'2020-01-05 00:00:00' against '2020-01-05'"),
        (DATES, lambda key: "{2}/{1}/{0}".format(*key.split("-")), "'05/01/2020' against"),
    ],
)
def test_known_ones_in_another_spelling_are_refused(
    kind: str, keys: tuple[Any, ...], change: Callable[[Any], Any], pair: str
) -> None:
    fields = {fields.name: fields for fields in fitted_on(keys).schema.modalities}[kind]
    schema = replace(fitted_on(keys).schema, modalities=(fields,))
    message = rf"{kind}.*: .* {kind} \(column 'key'\) are not among those of the fitted schema, but would be .*: {pair}"
    with pytest.raises(InputError, match=message):
        build_cohort(spec(entries([change(key) for key in keys], kind), cohort={"source": patients()}), like=schema)


@pytest.mark.parametrize("kind", ["items", "codes"])
def test_a_decimal_point_makes_another_item_or_code_and_is_refused(kind: str) -> None:
    fields = {fields.name: fields for fields in fitted_on(NUMBERS).schema.modalities}[kind]
    schema = replace(fitted_on(NUMBERS).schema, modalities=(fields,))
    with pytest.raises(InputError, match=rf"{kind}.*: .* {kind} \(column 'key'\) .*'1\.0' against '1'"):
        build_cohort(
            spec(entries([f"{key}.0" for key in NUMBERS], kind), cohort={"source": patients()}),
            like=schema,
        )


@pytest.mark.parametrize("written", ["{}.0", "{}.", "{}.000"])
def test_a_decimal_point_makes_no_other_level(written: str) -> None:
    fields = {fields.name: fields for fields in fitted_on(NUMBERS).schema.modalities}["levels"]
    schema = replace(fitted_on(NUMBERS).schema, modalities=(fields,))
    keys = [written.format(key) if key > 2 else key for key in NUMBERS]
    new = build_cohort(spec(entries(keys, "levels"), cohort={"source": patients()}), like=schema)
    assert np.array_equal(new.observations["levels"].categorical, fitted_on(NUMBERS).observations["levels"].categorical)
    assert told(new) == []
    (note,) = [note for note in new.receipt.modalities[0].notes if "decimal point" in note]
    assert "20 rows differ from other levels" in note
    assert f"'{written.format(3)}' as '3'" in note


def test_the_way_out_works() -> None:
    new = again(fitted_on(NUMBERS), [f"{key}.0" for key in NUMBERS], derive={"key": "CAST(key AS BIGINT)"})
    assert same(fitted_on(NUMBERS), new)


def test_another_code_system_is_a_warning() -> None:
    fitted = fitted_on(("401.9", "250.00", "428.0", "414.01") * 10)
    findings = told(again(fitted, ["I10", "E11.9", "I50.9", "I25.1"] * 10))
    assert [(each.kind, each.where, each.value) for each in findings] == [
        ("unseen", "levels.key", 1.0),
        ("unseen", "items", 1.0),
        ("unseen", "codes", 1.0),
    ]
    assert all("none of them is known" in each.text and "another code system" in each.text for each in findings)


def test_a_few_unknown_ones_are_no_warning() -> None:
    assert told(again(fitted_on(NUMBERS), [*NUMBERS[:-5], *"abcde"])) == []


def test_what_the_source_itself_tells_apart_is_told_not_refused() -> None:
    counts = {"7": 20, "7.0": 3, "8": 5}
    (finding,) = judge_new_keys("m", counts, ["7", "8"], "levels", column="key")
    assert finding.kind == "spelling"
    assert "'7.0' against '7'" in finding.text


def test_a_few_codes_of_many_that_differ_in_zeros_are_told_not_refused() -> None:
    known = [f"{k}" for k in range(4000, 4100)]
    counts = dict.fromkeys([*known[:50], "04111", *(f"0{key}" for key in known[60:62])], 2)
    findings = judge_new_keys("m", counts, [*known, "4111"], "codes", column="key", codes=True)
    assert [each.kind for each in findings] == ["spelling"]
    more = counts | dict.fromkeys((f"0{key}" for key in known[62:70]), 2)
    with pytest.raises(InputError, match="11 codes"):
        judge_new_keys("m", more, [*known, "4111"], "codes", column="key", codes=True)
    with pytest.raises(InputError, match=r"'e11\.9' against 'E11\.9'"):
        judge_new_keys("m", {**counts, "e11.9": 1}, [*known, "E11.9"], "codes", column="key", codes=True)


def test_no_fitted_key_and_no_new_key_are_no_finding() -> None:
    assert judge_new_keys("m", {"a": 9}, [], "levels", column="key") == []
    assert judge_new_keys("m", {}, ["a"], "levels", column="key") == []


KNOWN, TRAINED = ["no", "yes", "rare"], [60, 40, 3]


@pytest.mark.parametrize("noun", ["levels", "codes"])
def test_usual_ones_that_nobody_has_are_told(noun: str) -> None:
    (finding,) = judge_new_keys("m", {"no": 60}, KNOWN, noun, column="key", trained=TRAINED)
    assert (finding.kind, finding.where, finding.value) == ("unseen", "m", 1.0)
    assert finding.text.startswith(
        f"of the {noun} that are usual in training these stand in none of the 60 rows: 'yes' (40 there). "
    )
    (finding,) = judge_new_keys("m", {"no": 60, "ja": 9}, KNOWN, noun, column="key", trained=TRAINED)
    assert "none of the 69 rows, which have 'ja' instead: 'yes' (40 there)" in finding.text


@pytest.mark.parametrize(
    ("counts", "trained"),
    [
        ({"no": 60}, ()),  # a schema of an earlier version
        ({"no": 60, "yes": 1}, TRAINED),  # 'rare' is no usual one
        ({"no": 45}, TRAINED),  # 17 would be expected
    ],
)
def test_rare_ones_and_few_rows_are_not_told_as_gone(counts: dict[str, int], trained: Any) -> None:
    assert judge_new_keys("m", counts, KNOWN, "levels", column="key", trained=trained) == []


def test_levels_of_new_patients_are_held_against_those_of_training() -> None:
    fitted = fitted_on(("yes", "no") * 20)
    (fields,) = (each for each in fitted.schema.modalities if each.name == "levels")
    train = np.asarray(fitted.split) == "train"
    assert fields.level_counts == (
        tuple(int((train & (np.array(["yes", "no"] * 20) == name)).sum()) for name in fields.levels[0]),
    )
    findings = told(again(fitted, ["yes"] * 40))
    assert {"levels.key", "codes"} <= {each.where for each in findings}
    assert all("'no' (" in each.text for each in findings)


def test_a_fifth_of_unknown_levels_is_told() -> None:
    counts = {"no": 79, "unbekannt hier": 21}
    assert len(judge_new_keys("m", counts, ["no", "yes"], "levels", column="key")) == 1
    assert judge_new_keys("m", counts, ["no", "yes"], "codes", column="key") == []
    assert judge_new_keys("m", {"no": 81, "unbekannt hier": 19}, ["no", "yes"], "levels", column="key") == []
