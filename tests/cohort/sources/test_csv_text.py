from __future__ import annotations

import gzip
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import gdsfd.cohort.sources.csv_text as csv_text
import gdsfd.cohort.sources.text_survey as text_survey
from gdsfd.cohort.sources.csv_text import header_of, ready_csv
from gdsfd.cohort.sources.internal_names import ROW
from gdsfd.cohort.sources.sources import Sources
from gdsfd.errors import InputError

gzipped = partial(gzip.compress, mtime=0)  # the same bytes, and so the same name of a test, in every process

ROWS = [("001", "91"), ("002", None), ("003", 'two\nlines, "x"')]
LF = 'pid,hr\n001,91\n002,\n003,"two\nlines, ""x"""\n'


def cells(folder: Path, raw: bytes, name: str = "labs.csv") -> list[tuple[Any, ...]]:
    (folder / name).write_bytes(raw)
    with Sources(folder) as sources:
        view = sources.open(name, "modality 'm'")
        found = sources.database.fetch(view.table.order_by(ROW)).to_pylist()
        left = [path.name for path in sources.database.folder.glob("text-*")]
    assert not left  # a copy goes as soon as it is read
    return [tuple(row[column] for column in view.columns) for row in found]


def crlf(text: str) -> str:
    return text.replace("\n", "\r\n")


@pytest.mark.parametrize("chunk", [3, 1 << 22])
@pytest.mark.parametrize(
    "raw",
    [
        LF.encode(),
        LF.rstrip("\n").encode(),
        b"\xef\xbb\xbf" + LF.encode(),
        crlf(LF).replace("two\r\n", "two\n").encode(),
        LF.replace("pid,hr", '"pid",hr').encode(),
        LF.replace("\n00", "\r\n00").encode(),  # the last line only ends with \n
        LF.replace("hr\n", "hr\r\n").encode(),
        LF.replace("91\n", "91\r\n").encode(),
        crlf(LF).replace("hr\r\n", "hr\n").replace("two\r\n", "two\n").encode(),
        LF.replace("\n", "\r\r\n").replace("two\r\r\n", "two\n").encode(),
        LF.replace("\n", "\r").encode(),
        ("\n\n" + LF).encode(),
        ("sep=,\r\n" + crlf(LF)).encode(),
        (LF + "\n\n\n").encode(),
        LF.encode("utf-16"),
        crlf(LF).replace("two\r\n", "two\n").encode("utf-16-le"),
        LF.encode("utf-16-be"),
        LF.encode("utf-32"),
        ("\n" + LF.replace("91\n", "91\r\n")).encode("utf-16"),
    ],
    ids=range(19),
)
def test_every_way_to_write_a_file_reads_alike(
    raw: bytes, chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_text, "_CHUNK_BYTES", chunk)
    monkeypatch.setattr(text_survey, "_CHUNK_BYTES", chunk)
    assert cells(tmp_path, raw) == ROWS
    assert cells(tmp_path, gzipped(raw)) == ROWS  # gzip under the name of plain text
    assert cells(tmp_path, gzipped(raw), "LABS.CSV.GZ") == ROWS
    assert cells(tmp_path, raw, "labs.csv.gz") == ROWS  # plain text under the name of gzip


def test_line_breaks_in_quoted_names(tmp_path: Path) -> None:
    for name_end in ("\n", "\r\n"):
        for end in ("\n", "\r\n"):
            raw = f'pid,"hr{name_end}(bpm)",note{end}001,91,"two{name_end}lines"{end}'.encode()
            assert header_of(*_written(tmp_path, raw)).columns == ("pid", "hr\n(bpm)", "note")
            assert [row[1] for row in cells(tmp_path, raw)] == ["91"]


def _written(folder: Path, raw: bytes) -> tuple[str, str]:
    (folder / "a.csv").write_bytes(raw)
    return str(folder / "a.csv"), "a.csv"


def test_plain_files_are_not_copied(tmp_path: Path) -> None:
    for raw in (LF.encode(), gzipped(LF.encode()), crlf(LF).encode()):
        ready = ready_csv(*_written(tmp_path, raw), tmp_path)
        assert not ready.copied
        assert ready.rows == 3
    assert ready_csv(*_written(tmp_path, b"\n" + LF.encode()), tmp_path).copied


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"id,x\n1,a\rb\n2,3\n", r"1 lines end with a carriage return \(\\r\) alone and 3 with a line feed"),
        (b"id,x\r\n1,a\rb\r\n2,3\r\n", r"alone and 3 with a line feed; a line break inside a cell needs quotes"),
        (LF.encode("utf-16")[:-1], "is UTF-16-LE, but damaged after byte"),
        (gzipped(LF.encode() * 9)[:-4], "copy it again"),
        (gzipped(LF.encode("utf-16") * 9)[:-4], "copy it again"),
        (b"id,x\n1,caf\xe9\n", "not UTF-8 at line 2"),
        (b"id,x\n1,\x00\n", "NUL byte at line 2"),
        (b"id,x\n1,2\n3\n", "at line 3: expected Number of Columns: 2 Found: 1"),
    ],
    ids=range(8),
)
def test_what_cannot_be_read_says_why(raw: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        cells(tmp_path, raw)


def test_rows_that_are_not_read_are_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As DuckDB does where it is told another line end than the file has: no row, no word."""
    real = csv_text.ready_csv

    def mistaken(path: str, name: str, folder: Path) -> Any:
        ready = real(path, name, folder)
        return csv_text.CsvText(ready.path, ready.gzipped, ready.header, "\r\n", ready.survey)

    monkeypatch.setattr("gdsfd.cohort.sources.base_tables.ready_csv", mistaken)
    with pytest.raises(InputError, match=r"labs.csv has 3 records below its header, but 0 could be read"):
        cells(tmp_path, LF.encode())


def test_a_line_of_many_megabytes_is_read(tmp_path: Path) -> None:
    note = "n" * (5 << 20)
    assert cells(tmp_path, f'pid,note\n001,"{note}"\n002,short\n'.encode()) == [("001", note), ("002", "short")]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("packed", [bytes, gzipped])
def test_a_delimiter_in_the_first_name_behind_a_byte_order_mark(tmp_path: Path, encoding: str, packed: Any) -> None:
    raw = packed('"pid, new",hr\n001,91\n002,\n'.encode(encoding))
    assert cells(tmp_path, raw, "labs.csv.gz" if packed is gzipped else "labs.csv") == [("001", "91"), ("002", None)]
