from __future__ import annotations

import gzip
from functools import partial
from pathlib import Path

import pytest

from gdsfd.cohort.sources.file_kind import FileKind, file_kind
from gdsfd.errors import InputError

gzipped = partial(gzip.compress, mtime=0)  # the same bytes, and so the same name of a test, in every process

TEXT = "pid,hr\n" + "".join(f"{k:03d},{k}\n" for k in range(60))


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (TEXT.encode(), FileKind()),
        (b"\xef\xbb\xbf" + TEXT.encode(), FileKind()),
        (TEXT.encode("utf-16"), FileKind(encoding="utf-16-le")),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), FileKind(encoding="utf-16-be")),
        (TEXT.encode("utf-16-le"), FileKind(encoding="utf-16-le")),
        (TEXT.encode("utf-16-be"), FileKind(encoding="utf-16-be")),
        (TEXT.encode("utf-32"), FileKind(encoding="utf-32-le")),
        (TEXT.encode("utf-32-be"), FileKind(encoding="utf-32-be")),
        (gzipped(TEXT.encode()), FileKind(gzipped=True)),
        (gzipped(TEXT.encode("utf-16")), FileKind(gzipped=True, encoding="utf-16-le")),
        (b"PAR1....", FileKind(parquet=True)),
        (b"[pid],[hr]\n1,2\n", FileKind()),
        ("naïve,é\n1,2\n".encode(), FileKind()),
    ],
)
def test_kinds_that_are_read_whatever_their_name(raw: bytes, kind: FileKind, tmp_path: Path) -> None:
    for name in ("a.csv", "a.csv.gz", "A.TXT.GZ"):
        (tmp_path / name).write_bytes(raw)
        assert file_kind(str(tmp_path / name), name) == kind


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "is empty; expected a header line"),
        (gzipped(b""), "is empty; expected a header line"),
        (b"PK\x03\x04....", r"zip archive or an Excel workbook \(.xlsx\); unzip it, or open it and save it as CSV"),
        (b"\xd0\xcf\x11\xe0....", r"an old Excel workbook \(.xls\)"),
        (b"BZh91AY", "compressed with bzip2; run bunzip2"),
        (b"\xfd7zXZ\x00", "compressed with xz"),
        (b"\x28\xb5\x2f\xfd..", "compressed with zstd"),
        (b"SQLite format 3\x00", "an SQLite database; export the table"),
        (b"PARE....", "an encrypted Parquet file"),
        (b"\x89HDF....", "an HDF5 file"),
        (b"<!DOCTYPE html><html>", "is HTML or XML .*the page of a failed download; expected CSV"),
        (b'\n<?xml version="1.0"?>', "is HTML or XML"),
        (b'[{"pid": 1}]', "is JSON; write it as CSV or Parquet"),
        (b'{"pid": 1}\n', "is JSON"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer, not the file itself; run git lfs pull"),
        (bytes(range(1, 9)) * 100, "is not text: it begins with"),
        (gzipped(gzipped(b"id\n")), "a gzip file around again a gzip file; decompress it"),
        (gzipped(b"PAR1...."), "a gzip file around a Parquet file"),
        (gzipped(b"labs.csv".ljust(257, b"\0") + b"ustar  \0"), "is a tar archive; unpack it"),
        (gzipped(b"PK\x03\x04...."), "zip archive"),
        (b"\x1f\x8b but broken", "is a broken .gz file .*copy it again"),
    ],
)
def test_what_is_not_read_is_called_by_its_name(raw: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(raw)
    with pytest.raises(InputError, match=message):
        file_kind(str(tmp_path / "a.csv"), "a.csv")


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (TEXT.encode(), r"it is text, not Parquet \(it begins with b'pid.*\); if it is CSV, name it .csv"),
        (gzipped(TEXT.encode()), "it is compressed with gzip, not Parquet .* name it .csv.gz"),
        (b"", "a.parquet is empty; expected Parquet"),
        (b"PK\x03\x04....", "zip archive"),
    ],
)
def test_what_is_called_parquet_but_is_not(raw: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(raw)
    with pytest.raises(InputError, match=message):
        file_kind(str(tmp_path / "a.parquet"), "a.parquet")
