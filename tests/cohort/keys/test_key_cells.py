from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.errors import InputError
from tests.cohort.small_exports import PATIENTS, events, labs, patients, spec

HASHED = [(k * 307445734561825860 + 5) % (1 << 64) for k in range(PATIENTS)]  # half of them beyond 2^63


@pytest.mark.parametrize("how", ["frame", "parquet"])
@pytest.mark.parametrize(
    "ids",
    [
        pa.array(HASHED, pa.uint64()),
        pa.array([Decimal(10**37 + k) for k in range(PATIENTS)], pa.decimal128(38, 0)),
        pa.array([Decimal(10**18 + k) for k in range(PATIENTS)], pa.decimal128(19, 0)),
        pa.array([f"é{k}".encode() for k in range(PATIENTS)], pa.binary()),
        pa.array([bytes([255, k, 0]) for k in range(PATIENTS)], pa.binary(3)),
    ],
    ids=["uint64", "decimal38", "decimal19", "text without its mark", "binary"],
)
def test_ids_of_every_type_match_digit_by_digit(ids: Any, how: str, tmp_path: Any) -> None:
    """Neighbours differ in the last digit only, so one lost digit would join or lose patients."""
    cohort, table = (pa.Table.from_pandas(frame.drop(columns="pid")) for frame in (patients(), labs()))
    sources: list[Any] = [one.append_column("pid", ids) for one in (cohort, table)]
    if how == "parquet":
        for name, one in zip(("cohort", "labs"), sources):
            pq.write_table(one, tmp_path / f"{name}.parquet")
        sources = ["cohort.parquet", "labs.parquet"]
    entry = {"name": "labs", "kind": "table", "source": sources[1], "id": "pid", "numeric": ["wbc"], "missing": [-1]}
    built = build_cohort(spec(entry, cohort={"source": sources[0]}, base_dir=tmp_path))
    assert len(set(built.id)) == PATIENTS
    assert built.observations["labs"].patient.tolist() == list(range(PATIENTS))


def test_unsigned_ids_match_the_same_digits_in_text() -> None:
    entry = {"name": "labs", "kind": "table", "id": "pid", "source": labs().assign(pid=list(map(str, HASHED)))}
    built = build_cohort(spec(entry, cohort={"source": patients().assign(pid=np.array(HASHED, dtype=np.uint64))}))
    assert built.id == list(map(str, HASHED))
    assert len(built.observations["labs"].patient) == PATIENTS


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_floats_too_large_to_tell_ids_apart_are_refused(kind: type) -> None:
    large = np.arange(PATIENTS).astype(kind) * 4 + (2**53 if kind is np.float64 else 2**24)
    message = (
        r"column 'pid' of the DataFrame of cohort \(of the cohort\) holds whole numbers as floats, too large .* text"
    )
    with pytest.raises(InputError, match=message):
        build_cohort(spec(cohort={"source": patients().assign(pid=large)}))
    table = {"name": "labs", "kind": "table", "id": "pid", "source": labs().assign(pid=large)}
    with pytest.raises(InputError, match=r"\(id of modality 'labs'\) holds whole numbers as floats"):
        build_cohort(spec(table))


def with_note(frame: pd.DataFrame, column: str, where: str = "longest") -> pd.DataFrame:
    cells = frame[column].astype(object).tolist()
    cells[3] = where * 200
    return frame.assign(**{column: cells})


@pytest.mark.parametrize("column", ["pid", "person", "site", "sex", "died"])
def test_an_endless_name_in_the_cohort_is_refused(column: str) -> None:
    with pytest.raises(
        InputError, match=rf"column '{column}' of .* cells of more than 1,000 characters: .longest"
    ) as got:
        build_cohort(spec(cohort={"source": with_note(patients(), column), "environment": "site", "groups": ["sex"]}))
    assert "(1,400 characters)" in str(got.value)
    assert len(str(got.value)) < 500


def test_an_endless_id_item_or_code_is_refused() -> None:
    table = {"name": "m", "kind": "table", "id": "pid", "source": with_note(labs(), "pid")}
    item = {"name": "m", "kind": "events", "id": "pid", "item": "item", "value": "value"}
    codes = {"name": "m", "kind": "codes", "id": "pid", "code": "item", "source": with_note(events(), "item")}
    for entry, message in (
        (table, r"\(id of modality 'm'\) names things"),
        ({**item, "source": with_note(events(), "item")}, r"\(item of modality 'm'\) names things"),
        (codes, r"\(code of modality 'm'\) names things"),
        ({**codes, "split_on": ";"}, r"a cell of 'item' split on ';' gives the code 'longest.*Check split_on"),
    ):
        with pytest.raises(InputError, match=message):
            build_cohort(spec(entry))
    lists = with_note(events(), "item", "longest;")  # a long list of short codes is no endless code
    assert (
        "longest"
        in build_cohort(spec({**codes, "source": lists, "split_on": ";", "min_count": 1})).schema.modalities[0].codes
    )


def test_ids_that_are_all_blank() -> None:
    with pytest.raises(InputError, match=r"no patient left: column 'pid' \(cohort.id\) is blank in all 40 rows"):
        build_cohort(spec(cohort={"source": patients().assign(pid=" ")}))


@pytest.mark.parametrize("kind", ["codes", "events"])
def test_codes_that_one_of_several_files_has_as_floats_are_not_merged(kind: str, tmp_path: Any) -> None:
    """Two files of one source share a type: integers of the one become floats beside a blank of the other."""
    code = [900000000000207008 + k % 2 for k in range(PATIENTS)]
    pid, value = patients()["pid"].tolist(), [1.0] * PATIENTS
    pq.write_table(pa.table({"pid": pid, "code": code, "value": value}), tmp_path / "k-0.parquet")
    other = pa.table({"pid": pid[:1], "code": pa.array([None], pa.float64()), "value": [1.0]})
    entry = {"name": "k", "kind": kind, "id": "pid", "source": "k-*.parquet"}
    entry |= {"code": "code"} if kind == "codes" else {"item": "code", "value": "value"}
    built = build_cohort(spec({**entry, "source": "k-0.parquet"}, base_dir=tmp_path))
    (fields,) = built.schema.modalities
    assert set(fields.codes if kind == "codes" else fields.items) == {"900000000000207008", "900000000000207009"}
    pq.write_table(other, tmp_path / "k-1.parquet")
    with pytest.raises(InputError, match="whole numbers as floats, too large for floats to tell neighbours apart"):
        build_cohort(spec(entry, base_dir=tmp_path))
