"""The first rows of a table, as a build reads them."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gdsfd.errors import InputError
from gdsfd.first_spec import sample
from gdsfd.first_spec.find_exports import find_exports
from gdsfd.first_spec.sample import read_sample

FRAME = pd.DataFrame({"id": ["001", "002", "003"], "x": ["1,5", None, "two\nlines"]})


def read(path: Path, scratch: Path):
    (place,) = find_exports([path]).places
    scratch.mkdir(exist_ok=True)
    return read_sample(place, scratch)


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.parquet", "semi.csv", "wide.csv"])
def test_text_stays_text_whatever_the_file(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    if name.endswith("parquet"):
        FRAME.to_parquet(file, index=False)
    else:
        text = FRAME.to_csv(index=False, sep=";" if name == "semi.csv" else ",")
        coded = text.encode("utf-16" if name == "wide.csv" else "utf-8")
        file.write_bytes(gzip.compress(coded) if name.endswith("gz") else coded)
    table = read(file, tmp_path / "scratch")
    assert table.cells("id") == ["001", "002", "003"]
    assert table.cells("x") == ["1,5", None, "two\nlines"]
    assert table.whole
    assert table.column("ID") == "id"
    assert table.column("y") is None
    assert table.column(None) is None


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_of_a_large_file_only_the_beginning_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(sample, "_BYTES", 2_000)
    monkeypatch.setattr(sample, "_ROWS", 100)
    rows = pd.DataFrame({"id": np.arange(1000), "note": 'a "quoted"\ncell, '})
    file = tmp_path / f"a.{kind}"
    rows.to_csv(file, index=False) if kind == "csv" else rows.to_parquet(file, index=False)
    table = read(file, tmp_path / "scratch")
    assert not table.whole
    assert 20 < table.rows.num_rows <= 200
    assert table.cells("id") == [str(k) for k in range(table.rows.num_rows)]


def test_lists_are_told_but_not_read(tmp_path: Path) -> None:
    pd.DataFrame({"id": [1, 2], "v": [[0.5, 1.0], [1.5, 2.0]]}).to_parquet(tmp_path / "a.parquet", index=False)
    table = read(tmp_path / "a.parquet", tmp_path / "scratch")
    assert (table.columns, table.nested) == (["id"], ("v",))


def test_a_broken_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"id,x\n1,\x00\n2,3\n")
    with pytest.raises(InputError, match="NUL"):
        read(tmp_path / "a.csv", tmp_path / "scratch")
