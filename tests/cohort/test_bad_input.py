"""Every line of "bad input" in the issue, at the level of Python: the message says what, where and what to do."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.errors import InputError
from tests.cohort.small_exports import events, labs, patients, spec


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    patients().to_csv(tmp_path / "patients.csv", index=False)
    labs().to_csv(tmp_path / "labs.csv", index=False)
    events().to_csv(tmp_path / "events.csv", index=False)
    return tmp_path


def fails(folder: Path, message: str, modality: dict[str, Any] | None = None, **fields: Any) -> None:
    table = {"name": "labs", "kind": "table", "source": "labs.csv", "id": "pid"}
    cohort = {"source": "patients.csv", **fields.pop("cohort", {})}
    with pytest.raises(InputError, match=message):
        build_cohort(spec({**table, **(modality or {})}, cohort=cohort, base_dir=folder, **fields))


def test_missing_file(folder: Path) -> None:
    fails(folder, r"patient.csv does not exist. Did you mean 'patients.csv'", cohort={"source": "patient.csv"})
    fails(folder, r"lab.csv does not exist. Did you mean 'labs.csv'", {"source": "lab.csv"})


def test_missing_column(folder: Path) -> None:
    fails(folder, r"patients.csv has no column 'pdi' \(cohort.id\). Did you mean 'pid'", cohort={"id": "pdi"})
    fails(
        folder, r"labs.csv has no column 'wcb' \(columns of modality 'labs'\). Did you mean 'wbc'", {"columns": ["wcb"]}
    )
    fails(folder, r"labs.csv has no column 'stay' \(id of modality 'labs'\)", {"id": "stay"})
    fails(
        folder,
        r"patients.csv has no column 'dead' \(outcome 'x'\)",
        outcome={"name": "x", "column": "dead", "positive": 1},
    )
    entry = {"name": "e", "kind": "events", "source": "events.csv", "id": "pid"}
    for change, message in (
        ({"item": "label"}, r"no column 'label' \(item of modality 'e'\)"),
        ({"item": "item", "value": "valu"}, r"no column 'valu' \(value of modality 'e'\). Did you mean 'value'"),
        ({"item": "item", "time": "minutes"}, r"no column 'minutes' \(time of modality 'e'\). Did you mean 'minute'"),
        ({"values": ["value", "hr"]}, r"no column 'hr' \(values of modality 'e'\)"),
    ):
        with pytest.raises(InputError, match=message):
            build_cohort(spec({**entry, **change}, base_dir=folder))


def test_duplicate_patient_id(folder: Path) -> None:
    pd.concat([patients(), patients()[3:5]]).to_csv(folder / "patients.csv", index=False)
    fails(
        folder, r"patients.csv: patient ids must be unique, but 2 values of 'pid' repeat: '003', '004'. One row is one"
    )


def test_two_rows_per_patient_in_a_table(folder: Path) -> None:
    pd.concat([labs(), labs()[7:8]]).to_csv(folder / "labs.csv", index=False)
    fails(folder, r"modality 'labs' \(labs.csv\): 1 patients have more than one row: '007' \(2 rows\)")


def test_text_in_a_numeric_column(folder: Path) -> None:
    labs().assign(wbc=["> 20" if k == 4 else str(k) for k in range(40)]).to_csv(folder / "labs.csv", index=False)
    fails(
        folder, r"column 'wbc' of labs.csv looks numeric but 1 values are not: '> 20' \(id 004\). List the column under"
    )


def test_unparsable_time(folder: Path) -> None:
    events().astype({"minute": str}).replace({"minute": {"5": "five"}}).to_csv(folder / "events.csv", index=False)
    entry = {"kind": "events", "source": "events.csv", "item": "item", "value": "value", "time": "minute"}
    fails(folder, r"column 'minute' of events.csv has \d+ times that cannot be read: 'five' \(id \d+\)", entry)


def test_empty_modality_after_filtering(folder: Path) -> None:
    fails(folder, r"modality 'labs' \(labs.csv\) is empty: .* 40 rows: where is not true", {"where": "unit = 'OR'"})


def test_outcome_with_one_class(folder: Path) -> None:
    message = r"outcome 'death' \(column 'died' of patients.csv\) has only 'yes' \(14 patients\)"
    fails(folder, message, cohort={"where": "died = 'yes'"})


def test_unknown_key(folder: Path) -> None:
    fails(folder, r"modality\[0\] \('labs'\).column: unknown key. Did you mean 'columns'", {"column": ["wbc"]})


def test_a_subject_in_two_splits_of_a_column_split(folder: Path) -> None:
    patients().assign(part=["train", "test"] * 20).to_csv(folder / "patients.csv", index=False)
    fails(
        folder,
        r"20 subjects are in more than one split: 'p0' in test and train",
        split={"kind": "column", "column": "part"},
    )


@pytest.mark.parametrize("side", ["modality", "cohort"])
@pytest.mark.parametrize("how", ["csv", "parquet", "frame"])
def test_an_id_that_is_float_in_one_file_and_text_in_another(folder: Path, side: str, how: str) -> None:
    frames = {"cohort": patients(), "modality": labs()}
    for name, frame in frames.items():
        numbers = pd.Series(range(141765, 141805))
        frames[name] = frame.assign(pid=numbers.astype(float) if name == side else numbers.astype(str))
    sources: dict[str, Any] = {}
    for name, frame in frames.items():
        path = folder / f"{name}.{'parquet' if how == 'parquet' else 'csv'}"
        frame.to_parquet(path) if how == "parquet" else frame.to_csv(path, index=False)
        sources[name] = frame if how == "frame" else path.name
    entry = {"name": "labs", "kind": "table", "source": sources["modality"], "id": "pid"}
    cohort = {"source": sources["cohort"]}
    if how == "csv":  # floats written as text: only the user knows that they are numbers
        message = r"ids of modality 'labs' \(column 'pid' of .*\) and of the cohort \(.*\) differ only in their "
        message += "spelling: "
        message += "'141765.0' against '141765'" if side == "modality" else "'141765' against '141765.0'"
        fails(folder, message, {"source": sources["modality"]}, cohort=cohort)
        integer = {"derive": {"pid": "CAST(pid AS BIGINT)"}}  # the way out that the message names works
        (entry if side == "modality" else cohort).update(integer)
    built = build_cohort(spec(entry, cohort=cohort, base_dir=folder))
    assert len(built.observations["labs"].patient) == 40
    assert built.id[0] == "141765"


def test_ragged_and_nan_embeddings(folder: Path) -> None:
    entry = {"kind": "embedding", "source": "e.parquet", "columns": "e"}
    vectors = [[1.0, 2.0]] * 39
    pd.DataFrame({"pid": labs().pid, "e": [*vectors, [1.0]]}).to_parquet(folder / "e.parquet")
    fails(folder, r"column 'e' of e.parquet must all have one length; most have 2, but 1 differ: '039 \(1\)'", entry)
    pd.DataFrame({"pid": labs().pid, "e": [*vectors, [1.0, np.nan]]}).to_parquet(folder / "e.parquet")
    fails(folder, r"1 vectors of e.parquet hold NaN, .* of patients '039'", entry)


def test_truncated_gz(folder: Path) -> None:
    packed = gzip.compress(labs().to_csv(index=False).encode())
    for cut in (len(packed) // 2, len(packed) - 6):
        (folder / "labs.csv.gz").write_bytes(packed[:cut])
        fails(folder, r"labs.csv.gz.* copy it again", {"source": "labs.csv.gz"})


def test_not_utf8(folder: Path) -> None:
    (folder / "labs.csv").write_bytes(labs().replace({"unit": {"ICU": "café"}}).to_csv(index=False).encode("latin1"))
    fails(folder, r"labs.csv is not UTF-8 .*line 2.*iconv")


def test_zero_patients_after_where(folder: Path) -> None:
    where = "site = 'west'"
    message = (
        rf"patients.csv has no patient left: 40 rows were read, cohort.where = \"{where}\" is true for none; check its"
    )
    fails(folder, message, cohort={"where": where})
    patients()[:0].to_csv(folder / "patients.csv", index=False)
    fails(folder, r"patients.csv has no patient left: 0 rows were read")
