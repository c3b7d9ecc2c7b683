from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.cohort import CodeObservations, Cohort
from gdsfd.cohort.readers.codes import codes_in_cell
from gdsfd.cohort.schema import CODE_RARE, CODE_UNNAMED
from tests.cohort.small_exports import PATIENTS, patients, spec


def records(rows: int = 400, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    code = random.choice(
        ["a|b|c", "a|b", "a|d", "e", "", None, "rare|x"], rows, p=[0.2, 0.2, 0.2, 0.3, 0.04, 0.05, 0.01]
    )
    return pd.DataFrame({"pid": [f"{k:03d}" for k in random.integers(0, PATIENTS, rows)], "code": code})


def built(frame: pd.DataFrame, **fields: Any) -> tuple[Cohort, CodeObservations]:
    entry = {"name": "m", "kind": "codes", "source": frame, "id": "pid", "code": "code", **fields}
    cohort = build_cohort(spec(entry), show_ids=True)
    observed = cohort.observations["m"]
    assert isinstance(observed, CodeObservations)
    return cohort, observed


def decoded(cohort: Cohort, observed: CodeObservations) -> dict[str, set[str]]:
    names = ["<rare>", "<blank>", *cohort.schema.modalities[0].codes]
    return {
        cohort.id[patient]: {names[code] for code in observed.code[start:end]}
        for patient, start, end in zip(observed.patient, observed.ptr, observed.ptr[1:])
    }


@pytest.mark.parametrize("separator", [None, "|"])
@pytest.mark.parametrize("min_count", [1, 8])
def test_sets_and_vocabulary_against_an_oracle(separator: str | None, min_count: int) -> None:
    frame = records()
    cohort, observed = built(frame, separator=separator, min_count=min_count)
    train = {own for own, split in zip(cohort.id, cohort.split) if split == "train"}
    sets: dict[str, set[str]] = defaultdict(set)
    for own, cell in zip(frame.pid, frame.code):
        parts = [] if pd.isna(cell) or not cell else cell.split("|") if separator else [cell]
        sets[own] |= {"|".join(parts[: k + 1]) for k in range(len(parts))} or {"<blank>"}
    counts: dict[str, int] = defaultdict(int)
    for own in train:
        for code in sets[own] - {"<blank>"}:
            counts[code] += 1
    kept = sorted((code for code in counts if counts[code] >= min_count), key=lambda code: (-counts[code], code))
    fields = cohort.schema.modalities[0]
    assert list(fields.codes) == kept
    assert list(fields.code_counts) == [counts[code] for code in kept]
    expected = {
        own: {code if code in kept or code == "<blank>" else "<rare>" for code in codes} for own, codes in sets.items()
    }
    assert decoded(cohort, observed) == expected
    assert observed.code.dtype == np.int32
    for start, end in zip(observed.ptr, observed.ptr[1:]):
        assert (np.diff(observed.code[start:end]) > 0).all()
    receipt = cohort.receipt.modalities[0]
    assert receipt.rows_read == receipt.rows_kept == len(frame)
    assert receipt.patients == frame.pid.nunique()


def test_a_blank_code_is_a_record_and_a_missing_one_is_not() -> None:
    frame = pd.DataFrame({"pid": ["000", "001", "002"] + ["003"] * 5, "code": ["", "none", "x"] + ["x"] * 5})
    cohort, observed = built(frame, missing=["none"], min_count=1)
    assert observed.patient.tolist() == [0, 2, 3]
    assert observed.code[0] == CODE_UNNAMED
    assert [(drop.reason, drop.rows, drop.examples) for drop in cohort.receipt.modalities[0].drops] == [
        ("code is declared missing", 1, ["001"])
    ]


def test_several_codes_in_a_cell() -> None:
    assert codes_in_cell("401.9, I10,", split_on=",") == ["401.9", "I10"]
    assert codes_in_cell("a|b; a|c", split_on=";", separator="|") == ["a", "a|b", "a|c"]
    assert codes_in_cell(" ; ", split_on=";") == []
    frame = pd.DataFrame({"pid": ["000", "001"], "code": ["401.9, I10", " , "]})
    cohort, observed = built(frame, split_on=",", min_count=1)
    assert decoded(cohort, observed)["001"] == {"<blank>"}


def test_max_codes_keeps_the_most_frequent() -> None:
    cohort, observed = built(records(), max_codes=2, min_count=1)
    assert len(cohort.schema.modalities[0].codes) == 2
    assert observed.code.max() == 3
    assert (observed.code == CODE_RARE).any()


def test_numbers_are_codes_too_and_leading_zeros_stay() -> None:
    cohort, _ = built(pd.DataFrame({"pid": ["000"] * 3, "code": [250, 4019, 250]}), min_count=1)
    assert set(cohort.schema.modalities[0].codes) <= {"250", "4019"}
    cohort, _ = built(pd.DataFrame({"pid": [f"{k:03d}" for k in range(40)], "code": "0090"}), min_count=1)
    assert cohort.schema.modalities[0].codes == ("0090",)


def test_like_turns_new_codes_into_rare_ones() -> None:
    fitted, _ = built(records(), min_count=1)
    fresh = pd.DataFrame({"pid": ["001", "001", "999"], "code": ["e", "never seen", "e"]})
    entry = {"name": "m", "kind": "codes", "source": fresh, "id": "pid", "code": "code"}
    cohort = build_cohort(spec(entry, cohort={"source": patients(2)}), like=fitted.schema, show_ids=True)
    observed = cohort.observations["m"]
    assert isinstance(observed, CodeObservations)
    assert observed.patient.tolist() == [1]
    assert observed.code.tolist() == [CODE_RARE, fitted.schema.modalities[0].codes.index("e") + 2]
    receipt = cohort.receipt.modalities[0]
    assert receipt.drops[0].examples == ["999"]
    note = "1 of 2 distinct codes were rare in training or not there and share one code ('never seen')"
    assert receipt.notes == [note]
