"""Each type of the database, reduced without losing a digit."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import gdsfd
from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.sources.clean_column import ZONED, cleaned_column
from gdsfd.errors import InputError

UUID = uuid.UUID("550e8400-e29b-41d4-a716-446655440000")


@pytest.mark.parametrize(
    ("cell", "kind", "value", "reduced"),
    [
        ("' a '", "VARCHAR", "a", "VARCHAR"),
        ("' '", "VARCHAR", None, "VARCHAR"),
        ("'nan'", "DOUBLE", None, "DOUBLE"),
        ("'inf'", "DOUBLE", float("inf"), "DOUBLE"),  # readers tell of it
        ("'nan'", "FLOAT", None, "FLOAT"),
        ("1.5", "FLOAT", 1.5, "FLOAT"),
        ("true", "BOOLEAN", True, "BOOLEAN"),
        ("7", "TINYINT", 7, "TINYINT"),
        (str(2**63 - 1), "BIGINT", 2**63 - 1, "BIGINT"),
        (str(2**64 - 1), "UBIGINT", 2**64 - 1, "UBIGINT"),
        (str(2**126), "HUGEINT", 2**126, "HUGEINT"),
        (f"'{2**127 + 1}'", "UHUGEINT", str(2**127 + 1), "VARCHAR"),
        ("9" * 18, "DECIMAL(18,0)", int("9" * 18), "BIGINT"),
        ("9" * 30, "DECIMAL(38,0)", Decimal("9" * 30), "DECIMAL(38,0)"),
        ("1.25", "DECIMAL(10,2)", 1.25, "DOUBLE"),
        ("'2150-01-01'", "DATE", date(2150, 1, 1), "DATE"),
        ("'2150-01-01 10:00'", "TIMESTAMP", datetime(2150, 1, 1, 10), "TIMESTAMP"),
        ("'2150-01-01 10:00'", "TIMESTAMP_S", datetime(2150, 1, 1, 10), "TIMESTAMP"),
        ("'2150-01-01 10:00'", "TIMESTAMP_NS", datetime(2150, 1, 1, 10), "TIMESTAMP"),
        ("'10:00:00'", "TIME", "10:00:00", "VARCHAR"),
        ("'2 hours 30 minutes'", "INTERVAL", 150.0, "DOUBLE"),
        ("'-1 days'", "INTERVAL", -1440.0, "DOUBLE"),
        ("'low'", "ENUM('low', 'high')", "low", "VARCHAR"),
        ("'  abc '", "BLOB", "abc", "VARCHAR"),
        ("'sixteen letters!'", "BLOB", "sixteen letters!", "VARCHAR"),
        ("'\\xFF'", "BLOB", "ff", "VARCHAR"),  # no text: as other files write bytes
        ("'\\x00\\x01'", "BLOB", "0001", "VARCHAR"),
        (f"unhex('{UUID.hex}')", "BLOB", str(UUID), "VARCHAR"),
        (f"unhex('{'41' * 15 + '07'}')", "BLOB", "41414141-4141-4141-4141-414141414107", "VARCHAR"),
        ("[1, 2]", "INTEGER[]", [1, 2], "INTEGER[]"),
        ("{'a': 1}", "STRUCT(a INTEGER)", {"a": 1}, "STRUCT(a INTEGER)"),
    ],
)
def test_values_keep_their_digits_and_types_become_few(cell: str, kind: str, value: Any, reduced: str) -> None:
    clean = cleaned_column('"x y"', kind)
    source = f'(SELECT CAST({cell} AS {kind}) AS "x y" UNION ALL SELECT NULL)'
    found = duckdb.sql(
        f"SELECT {clean} AS v, typeof({clean}) AS kind FROM {source} ORDER BY {clean} IS NULL"
    ).fetchall()
    assert found[0] == (value, reduced)
    assert type(found[0][0]) is type(value)
    assert found[1] == (None, reduced)


def test_a_time_with_a_zone_keeps_it() -> None:
    with duckdb.connect() as database:
        database.execute("SET TimeZone = 'UTC'")
        clean = cleaned_column("x", ZONED)
        source = "(SELECT TIMESTAMPTZ '2150-01-01 10:00+02' AS x)"
        found = database.sql(f"SELECT strftime({clean}, '%H:%M'), typeof({clean}) FROM {source}").fetchall()
        assert found == [("08:00", ZONED)]


@pytest.mark.parametrize("kind", [pa.float64(), pa.float32()])
@pytest.mark.parametrize("files", [1, 2])
def test_nan_in_parquet_is_blank_wherever_it_is_read(tmp_path: Path, kind: pa.DataType, files: int) -> None:
    """pandas writes blanks for it; numpy through pyarrow, and polars, write NaN, which a file's extremes leave out."""
    values = np.arange(60.0)
    values[::3] = np.nan
    rows = pa.table(
        {"id": pa.array(range(60)), "item": ["hr"] * 60, "x": pa.array(values, from_pandas=False).cast(kind)}
    )
    assert rows["x"].null_count == 0
    for k in range(files):
        pq.write_table(rows.slice(k * 60 // files, 60 // files), tmp_path / f"{k}.parquet")
    shared = {"source": str(tmp_path / "*.parquet"), "id": "id"}
    cohort = {"source": pd.DataFrame({"id": range(60), "died": [k % 2 for k in range(60)]}), "id": "id"}
    graph = gdsfd.build_graph(
        gdsfd.CohortSpec(
            cohort=cohort,
            outcome={"name": "died", "column": "died", "positive": 1, "negative": 0},
            modality=[
                {"name": "table", "kind": "table", "columns": ["x"], **shared},
                {"name": "long", "kind": "events", "item": "item", "value": "x", **shared},
                {"name": "wide", "kind": "events", "values": ["x"], **shared},
                {"name": "vector", "kind": "embedding", "columns": ["x"], **shared},
                {"name": "derived", "kind": "table", "derive": {"y": "x * 2"}, "columns": ["y"], **shared},
            ],
        )
    )
    expected = values[~np.isnan(values)].tolist()
    stores = {name: graph["patient", name, "modality"] for name in graph.schema.names}
    assert stores["table"].numeric[:, 0].tolist() == expected
    assert stores["long"].value.tolist() == stores["wide"].value.tolist() == expected
    assert stores["derived"].numeric[:, 0].tolist() == [2 * value for value in expected]
    assert stores["vector"].edge_index.shape[1] == len(expected)
    for receipt in graph.receipt.modalities:
        assert sum(drop.rows for drop in receipt.drops) == 20


@pytest.mark.parametrize("how", [str, lambda own: str(own).upper(), lambda own: own.hex, lambda own: own.bytes])
@pytest.mark.parametrize("kind", ["bytes", "fixed", "uuid"])
def test_a_uuid_of_bytes_is_the_one_that_another_file_writes_as_text(tmp_path: Path, kind: str, how: Any) -> None:
    """Or the other spelling is refused; nobody is lost without a word."""
    ids = [uuid.UUID(int=(0x550E8400E29B41D4A716446655440000 * (k + 1)) % 2**128, version=4) for k in range(60)]
    types = {"bytes": pa.binary(), "fixed": pa.binary(16), "uuid": pa.uuid()}
    own = pa.array([each.bytes for each in ids], types[kind])
    pq.write_table(pa.table({"id": own, "x": [k % 7 + 0.5 for k in range(60)]}), tmp_path / "labs.parquet")
    pq.write_table(pa.table({"id": [how(each) for each in ids], "died": [0, 1] * 30}), tmp_path / "patients.parquet")
    spec = gdsfd.CohortSpec(
        cohort={"source": "patients.parquet", "id": "id"},
        outcome={"name": "death", "column": "died", "positive": 1, "negative": 0},
        modality={"name": "labs", "kind": "table", "source": "labs.parquet", "id": "id"},
        base_dir=tmp_path,
    )
    if how(ids[0]) in (str(ids[0]), ids[0].bytes):
        assert build_cohort(spec, progress=False).receipt.modalities[0].patients == 60
    else:
        with pytest.raises(InputError, match="differ only in their spelling"):
            build_cohort(spec, progress=False)
