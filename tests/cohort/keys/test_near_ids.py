"""Ids of a modality that nearly match the cohort's are refused with pairs and a way out; others are dropped."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.cohort import Cohort
from gdsfd.errors import InputError
from tests.cohort.small_exports import PATIENTS, patients, spec

NUMBERS = [str(100000 + 1000 * k) for k in range(PATIENTS)]


def built(own: list[Any], ids: list[Any], show_ids: bool = False, **fields: Any) -> Cohort:
    frame = pd.DataFrame({"pid": own, "x": np.arange(len(own)) % 7})
    entry = {"name": "m", "kind": "codes", "source": frame, "id": "pid", "code": "x", "min_count": 1, **fields}
    return build_cohort(spec(entry, cohort={"source": patients().assign(pid=ids), "subject": None}), show_ids=show_ids)


def written(key: str, how: str) -> str:
    return {
        "exponent": f"{float(key):.3e}",
        "float": f"{key}.0",
        "zeros": f"00{key}",
        "thousands": f"{int(key):,}",
        "quotes": f"'{key}'",
        "wide digits": key.translate({ord(str(k)): 0xFF10 + k for k in range(10)}),
        "zero width": f"\u200b{key[:3]}\u200b{key[3:]}",
        "sign": f"+{key}",
    }[how]


@pytest.mark.parametrize(
    "how", ["exponent", "float", "zeros", "thousands", "quotes", "wide digits", "zero width", "sign"]
)
def test_another_spelling_is_refused_however_few_rows_have_it(how: str) -> None:
    affected = {"exponent": PATIENTS, "float": 2}.get(how, 1)
    own = [written(key, how) if k < affected else key for k, key in enumerate(NUMBERS)]
    with pytest.raises(
        InputError, match=r"ids of modality 'm' .* differ only in their spelling: .* against '1"
    ) as told:
        built(own, NUMBERS)
    assert f"{affected} in all" in str(told.value)
    assert str(told.value).count(" against ") == min(affected, 3)


def test_text_ids_in_another_case() -> None:
    ids = [f"Pat-{k:03d}" for k in range(PATIENTS)]
    with pytest.raises(InputError, match="'PAT-000' against 'Pat-000'"):
        built([own.upper() for own in ids], ids)
    lower = [own.lower() for own in ids]
    with pytest.raises(InputError, match=r"'PAT-000' against 'pat-000'.*derive = \{pid = \"lower\(pid\)\"\}"):
        built([own.upper() for own in ids], lower)
    cohort = built([own.upper() for own in ids], lower, derive={"pid": "lower(pid)"})
    assert len(cohort.observations["m"].patient) == PATIENTS


def test_zeros_that_a_spreadsheet_took_away_can_be_put_back() -> None:
    ids = [f"{k:05d}" for k in range(PATIENTS)]
    bare = [str(k) for k in range(PATIENTS)]
    with pytest.raises(InputError, match=r"'0' against '00000'.*lpad\(CAST\(pid AS VARCHAR\), 5, '0'\)"):
        built(bare, ids)
    for own in (bare, list(range(PATIENTS))):
        cohort = built(own, ids, derive={"pid": "lpad(CAST(pid AS VARCHAR), 5, '0')"})
        assert len(cohort.observations["m"].patient) == PATIENTS
    with pytest.raises(InputError, match="'0' against '00000'"):
        built(list(range(PATIENTS)), ids)


def test_the_way_out_for_exponents_works() -> None:
    own = [f"{float(key):.3e}" for key in NUMBERS]
    cohort = built(own, NUMBERS, derive={"pid": "CAST(pid AS BIGINT)"})
    assert len(cohort.observations["m"].patient) == PATIENTS


def test_ids_that_match_are_taken_as_they_are_whatever_else_is_near() -> None:
    ids = ["7", "07", "007", *NUMBERS[3:]]
    cohort = built(ids, ids)
    assert len(cohort.observations["m"].patient) == PATIENTS
    with pytest.raises(InputError, match="'0007' against '7', 1 in all"):
        built([*ids, "0007"], ids)


def test_other_patients_are_dropped_and_counted() -> None:
    strangers = [f"{k}x" for k in range(500)]
    receipt = built([*NUMBERS, *strangers], NUMBERS).receipt
    assert [(drop.reason, drop.rows) for drop in receipt.modalities[0].drops] == [("id not in the cohort", 500)]
    assert not [finding for finding in receipt.findings if finding.kind == "match"]


def test_rows_that_where_leaves_out_are_not_judged() -> None:
    own = [*NUMBERS, "0100000"]
    with pytest.raises(InputError, match=r"'0100000' against '100000'.*can be left out with where"):
        built(own, NUMBERS)
    assert len(built(own, NUMBERS, where="length(pid__text) = 6").observations["m"].patient) == PATIENTS


def test_a_modality_that_hardly_matches_is_a_warning() -> None:
    own = [*NUMBERS[:5], *(f"{k}x" for k in range(50))]
    found = [finding for finding in built(own, NUMBERS).receipt.findings if finding.kind == "match"]
    assert [finding.where for finding in found] == ["m"]
    assert found[0].text.startswith(
        "50 of 55 rows are of ids that the cohort has not, and only 5 of 40 patients have it"
    )
    told = built(own, NUMBERS, show_ids=True).receipt.findings
    assert [text for text in (finding.text for finding in told) if "that the cohort has not (e.g. '0x', " in text]


@pytest.mark.parametrize("kind", [float, "Int64", "uint16", object])
def test_whole_numbers_match_whatever_their_type(kind: Any) -> None:
    own = pd.Series(range(PATIENTS), dtype="int64").astype(kind)
    for ids in (pd.Series(range(PATIENTS)), pd.Series(range(PATIENTS)).astype(float)):
        assert len(built(list(own) if kind is object else own, list(ids)).observations["m"].patient) == PATIENTS
