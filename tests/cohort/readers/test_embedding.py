from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.cohort import EmbeddingObservations
from gdsfd.cohort.schema import ModalityFields
from gdsfd.cohort.sources.database import Database
from gdsfd.errors import InputError, SchemaError
from tests.cohort.small_exports import PATIENTS, patients, spec

VECTORS = np.random.default_rng(0).normal(size=(PATIENTS, 3)).astype(np.float32)
IDS = [f"{k:03d}" for k in range(PATIENTS)]


def listed(vectors: Any = VECTORS) -> pd.DataFrame:
    return pd.DataFrame({"pid": IDS[: len(vectors)], "e": [None if v is None else np.asarray(v) for v in vectors]})


def built(
    source: Any, columns: Any = "e", like: Any = None, **fields: Any
) -> tuple[EmbeddingObservations, ModalityFields]:
    entry = {"name": "m", "kind": "embedding", "source": source, "id": "pid", "columns": columns}
    cohort = build_cohort(spec(entry, **fields), like=like)
    observed = cohort.observations["m"]
    assert isinstance(observed, EmbeddingObservations)
    return observed, cohort.schema.modalities[0]


def test_a_list_valued_column_and_columns_by_pattern_agree(tmp_path: Path) -> None:
    listed().to_parquet(tmp_path / "e.parquet")
    wide = pd.DataFrame(VECTORS, columns=["e_0", "e_1", "e_2"]).assign(pid=IDS)
    text = listed().assign(e=[str(vector.tolist()) for vector in VECTORS])
    for source, columns in (
        (listed(), "e"),
        (str(tmp_path / "e.parquet"), ["e"]),
        (wide.sample(frac=1), "e_*"),
        (text, "e"),
    ):
        observed, fields = built(source, columns)
        assert fields.width == 3
        np.testing.assert_array_equal(observed.vector, VECTORS)
        assert observed.vector.dtype == np.float32
        assert len(fields.scales) == 3


def test_a_blank_vector_is_dropped() -> None:
    observed, _ = built(listed([VECTORS[0], None, *VECTORS[2:]]))
    assert observed.patient.tolist() == [0, *range(2, PATIENTS)]
    np.testing.assert_array_equal(observed.vector[1], VECTORS[2])


def test_a_vector_declared_missing_is_dropped_and_counted() -> None:
    absent = VECTORS.copy()
    absent[3] = -9
    absent[4, 0] = -9  # one component of a vector is a number like any other
    wide = pd.DataFrame(absent, columns=["e_0", "e_1", "e_2"]).assign(pid=IDS)
    text = listed().assign(e=["none" if k == 3 else str(vector.tolist()) for k, vector in enumerate(absent)])
    for source, columns, missing in ((wide, "e_*", -9), (listed(absent), "e", [-9]), (text, "e", "none")):
        entry = {"name": "m", "kind": "embedding", "source": source, "id": "pid", "columns": columns}
        cohort = build_cohort(spec({**entry, "missing": missing}), show_ids=True)
        observed = cohort.observations["m"]
        assert isinstance(observed, EmbeddingObservations)
        np.testing.assert_array_equal(observed.vector, np.delete(absent, 3, axis=0))
        (drop,) = cohort.receipt.modalities[0].drops
        assert (drop.reason, drop.rows, drop.examples) == ("vector is declared missing", 1, ["003"])


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        ([[1.0, 2.0], [1.0, 2.0], [1.0]], r"must all have one length; most have 2, but 1 differ: '002 \(1\)'"),
        (
            [[1.0, 2.0], [1.0, np.nan], [1.0, 3.0]],
            r"1 vectors .* hold NaN, .* of patients '001' \(first: component 1\)",
        ),
        ([[1.0, np.inf], [1.0, 2.0]], r"1 vectors .* of patients '000'"),
    ],
)
def test_ragged_and_broken_vectors(vectors: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        built(listed(vectors))


def test_broken_columns() -> None:
    wide = pd.DataFrame(VECTORS, columns=["e_0", "e_1", "e_2"]).assign(pid=IDS).astype({"e_1": object})
    wide.loc[4, "e_1"] = "x"
    with pytest.raises(InputError, match=r"of patients '004' \(first: e_1, 'x'\)"):
        built(wide, "e_*")
    with pytest.raises(InputError, match=r"2 patients have more than one row: '000'"):
        built(pd.concat([listed(), listed()[:2]]))
    text = pd.DataFrame({"pid": IDS, "e": ["[1, 2]"] * 39 + ["none"]})
    with pytest.raises(InputError, match=r"'039 \(not a list of numbers\)'"):
        built(text)


def test_like_needs_the_fitted_width() -> None:
    entry = {"name": "m", "kind": "embedding", "source": listed(), "id": "pid", "columns": "e"}
    fitted = build_cohort(spec(entry)).schema
    one = {"source": patients(1)}
    observed, _ = built(listed()[:1], like=fitted, cohort=one)
    np.testing.assert_array_equal(observed.vector, VECTORS[:1])
    with pytest.raises(SchemaError, match=r"expected vectors of length 3 as fitted, got 2"):
        built(listed(VECTORS[:, :2]), like=fitted, cohort=one)
    observed, _ = built(listed()[5:], like=fitted, cohort=one)
    assert observed.vector.shape == (0, 3)


@pytest.fixture
def in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows come three at a time, and everything lies in files."""
    whole = Database.batches

    def batches(self: Database, expression: Any, rows: int) -> Iterator[pa.RecordBatch]:
        for batch in whole(self, expression, rows):
            yield from (batch.slice(start, 3) for start in range(0, batch.num_rows, 3))

    monkeypatch.setattr(Database, "batches", batches)
    monkeypatch.setenv("GDSFD_ARRAY_BYTES", "0")


@pytest.mark.usefixtures("in_pieces")
def test_vectors_that_come_in_pieces() -> None:
    observed, fields = built(listed())
    np.testing.assert_array_equal(observed.vector, VECTORS)
    assert isinstance(observed.vector, np.memmap)
    wide = pd.DataFrame(VECTORS, columns=["e_0", "e_1", "e_2"]).assign(pid=IDS)
    beside, again = built(wide, "e_*")
    np.testing.assert_array_equal(beside.vector, VECTORS)
    assert isinstance(beside.vector, np.memmap)
    assert fields.scales == again.scales


@pytest.mark.usefixtures("in_pieces")
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({0: [1.0], 20: None, 30: [1.0, 2.0]}, r"most have 3, but 2 differ: '000 \(1\)', '030 \(2\)'"),
        ({39: [1.0]}, r"most have 3, but 1 differ: '039 \(1\)'"),
        ({4: [1.0, 1e39, 0.0], 20: [-1e300, 0.0, np.nan]}, r"2 values are too large .*: 1e\+39 \(id 004\), -1e\+300"),
        ({8: [0.0, 0.0, np.nan], 33: [np.inf, 0.0, 0.0]}, r"2 vectors .* '008', '033' \(first: component 2\)"),
    ],
)
def test_all_that_is_wrong_is_counted_whatever_the_pieces(changes: dict[int, Any], message: str) -> None:
    vectors: list[Any] = [*VECTORS.astype(np.float64)]
    for row, vector in changes.items():
        vectors[row] = vector
    with pytest.raises(InputError, match=message):
        built(listed(vectors))
