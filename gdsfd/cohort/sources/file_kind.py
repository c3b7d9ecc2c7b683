"""What a file is, told by its first bytes and not by its name: text in some encoding, Parquet, or neither."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from typing import IO, cast

from gdsfd.errors import InputError

__all__ = ["FileKind", "begins_as_parquet", "file_kind", "first_bytes", "opened"]

_HEAD_BYTES = 1 << 16
_GZIP, _PARQUET = b"\x1f\x8b", b"PAR1"
_MARKS = (  # byte order marks; the longer ones first, as UTF-32's begins like UTF-16's
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
    (b"\xef\xbb\xbf", "utf-8"),
)
_SAVE_AS = "save it as CSV (UTF-8)"
_FOREIGN = (
    (b"PARE", "an encrypted Parquet file", "write it without encryption"),
    (b"PK\x03\x04", "a zip archive or an Excel workbook (.xlsx)", f"unzip it, or open it and {_SAVE_AS}"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls)", f"open it and {_SAVE_AS}"),
    (b"BZh", "compressed with bzip2", "run bunzip2 on it, or compress it with gzip"),
    (b"\xfd7zXZ\x00", "compressed with xz", "run unxz on it, or compress it with gzip"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "run unzstd on it, or compress it with gzip"),
    (b"\x04\x22\x4d\x18", "compressed with lz4", "run unlz4 on it, or compress it with gzip"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it"),
    (b"Rar!", "a rar archive", "unpack it"),
    (b"SQLite format 3\x00", "an SQLite database", "export the table as CSV or Parquet"),
    (b"ARROW1", "an Arrow or Feather file", "write it as Parquet"),
    (b"FEA1", "a Feather file", "write it as Parquet"),
    (b"ORC", "an ORC file", "write it as Parquet"),
    (b"Obj\x01", "an Avro file", "write it as Parquet"),
    (b"\x89HDF", "an HDF5 file", "write the table as Parquet"),
    (b"\x93NUMPY", "a NumPy array", "write it with its column names as CSV or Parquet"),
    (b"$FL2", "an SPSS file", "export it as CSV (UTF-8)"),
    (b"$FL3", "an SPSS file", "export it as CSV (UTF-8)"),
    (b"<stata_dta>", "a Stata file", "export it as CSV (UTF-8)"),
    (b"RDX", "an R workspace", "write the table with write.csv(..., row.names = FALSE)"),
    (b"%PDF", "a PDF", "ask for the table as CSV"),
    (b"version https://git-lfs", "a Git LFS pointer, not the file itself", "run git lfs pull"),
)
_MARKUP = (b"<!doctype", b"<html", b"<?xml", b"<table", b"<head", b"<body", b"<error", b"<!--")
_JSON = (b"{", b'["', b"[{", b"[[")
_TEXT_CONTROLS = b"\t\n\x0b\x0c\r\x1a\x1b"


@dataclass(frozen=True)
class FileKind:
    """What a file is.

    Args:
        parquet: Parquet, else text.
        gzipped: Text compressed with gzip.
        encoding: Of the text, as Python calls it; a byte order mark still has to be taken off.
    """

    parquet: bool = False
    gzipped: bool = False
    encoding: str = "utf-8"


def begins_as_parquet(path: str) -> bool:
    """Whether a file begins as Parquet files do.

    Raises:
        InputError: It cannot be opened.
    """
    try:
        with open(path, "rb") as stream:
            return stream.read(4) == _PARQUET
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None


def opened(path: str, gzipped: bool) -> IO[bytes]:
    """A file's bytes, decompressed where they are compressed."""
    return cast(IO[bytes], gzip.open(path)) if gzipped else open(path, "rb")


def first_bytes(path: str, name: str, gzipped: bool, size: int) -> bytes:
    """The first bytes of a file; a .gz that breaks off later is reported by who reads it to its end.

    Raises:
        InputError: Not a byte of a .gz can be read.
    """
    raw = b""
    with opened(path, gzipped) as stream:
        try:
            while len(raw) < size and (piece := stream.read(min(size - len(raw), 1 << 14))):
                raw += piece
        except (EOFError, OSError, zlib.error) as error:
            if not raw:
                raise InputError(f"{name} is a broken .gz file ({error}); copy it again") from None
    return raw


def file_kind(path: str, name: str) -> FileKind:
    """Tells what a file is.

    Args:
        path: The file.
        name: How messages call it.

    Raises:
        InputError: The file is empty or of a kind that is not read, however it is called; the message says what it is
            and how to get something that is read.
    """
    raw = first_bytes(path, name, False, _HEAD_BYTES)
    as_parquet = name.lower().endswith((".parquet", ".pq"))
    if not raw:
        raise InputError(f"{name} is empty; expected {'Parquet' if as_parquet else 'a header line with column names'}")
    if raw.startswith(_PARQUET):
        return FileKind(parquet=True)
    gzipped = raw.startswith(_GZIP)
    if gzipped:
        raw = first_bytes(path, name, True, _HEAD_BYTES)
        if not raw:
            raise InputError(f"{name} is empty; expected a header line with column names")
        if raw.startswith((_GZIP, _PARQUET)):
            inside = "again a gzip file" if raw.startswith(_GZIP) else "a Parquet file"
            raise InputError(f"{name} is a gzip file around {inside}; decompress it, e.g. gzip -dc OLD > NEW")
        if raw[257:262] == b"ustar":
            raise InputError(f"{name} is a tar archive; unpack it, e.g. tar -xzf {name}, and name a file of it")
    kind = FileKind(gzipped=gzipped, encoding=_encoding(raw, name))
    if as_parquet:
        what = "compressed with gzip" if gzipped else "text"
        raise InputError(
            f"{name} cannot be read: it is {what}, not Parquet (it begins with {raw[:16]!r}); if it is CSV, name it "
            + (".csv.gz" if gzipped else ".csv")
        )
    return kind


def _encoding(raw: bytes, name: str) -> str:
    """The encoding of a text's first bytes, once they are text that is read."""
    for magic, what, way_out in _FOREIGN:
        if raw.startswith(magic):
            raise InputError(f"{name} is {what}; {way_out}")
    marked = next((encoding for mark, encoding in _MARKS if raw.startswith(mark)), None)
    encoding = marked or _wide(raw) or "utf-8"
    begin = raw.decode(encoding, errors="replace").lstrip("\ufeff \t\r\n")[:64].lower().encode()
    if begin.startswith(_MARKUP):
        raise InputError(
            f"{name} is HTML or XML (it begins with {begin[:40].decode(errors='replace')!r}), perhaps the page of a "
            "failed download; expected CSV"
        )
    if begin.startswith(_JSON):
        raise InputError(f"{name} is JSON; write it as CSV or Parquet, e.g. with pandas.read_json(...).to_parquet(...)")
    if encoding == "utf-8":
        controls = sum(byte < 32 and byte not in _TEXT_CONTROLS for byte in raw)
        if controls > 4 + len(raw) // 10:
            raise InputError(f"{name} is not text: it begins with {raw[:16]!r}; expected CSV or Parquet")
    return encoding


def _wide(raw: bytes) -> str | None:
    """UTF-16 or UTF-32 without a byte order mark: of each character of Latin text the high bytes are NUL."""
    nul = {place: share for place in range(4) if (share := raw[place::4].count(0) / max(len(raw[place::4]), 1)) > 0.3}
    by_nul = {(1, 3): "utf-16-le", (0, 2): "utf-16-be", (1, 2, 3): "utf-32-le", (0, 1, 2): "utf-32-be"}
    encoding = by_nul.get(tuple(nul))
    if encoding is None:
        return None
    whole = raw[: len(raw) // 4 * 4]
    text = whole.decode(encoding, errors="replace")
    return encoding if "\0" not in text and text.count("\ufffd") <= len(text) // 100 else None
