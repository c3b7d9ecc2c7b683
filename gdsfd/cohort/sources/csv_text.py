"""A CSV file made ready for DuckDB: as it is where it is plain, else as a copy in UTF-8 with one kind of line end."""

from __future__ import annotations

import codecs
import os
import re
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import AnyStr

from gdsfd.cohort.sources.csv_header import CsvHeader, csv_header
from gdsfd.cohort.sources.file_kind import file_kind, first_bytes, opened
from gdsfd.cohort.sources.text_survey import TextSurvey, survey_text
from gdsfd.errors import InputError

__all__ = ["CsvText", "header_of", "ready_csv"]

_HEADER_BYTES = 1 << 22
_CHUNK_BYTES = 1 << 22


@dataclass(frozen=True)
class CsvText:
    """A CSV file that DuckDB can read.

    Args:
        path: The file, or its copy.
        gzipped: Whether it is compressed with gzip.
        header: Its header.
        newline: What its lines end with.
        survey: What it holds.
        copied: Whether ``path`` is a copy, to be deleted once it is read.
    """

    path: str
    gzipped: bool
    header: CsvHeader
    newline: str
    survey: TextSurvey
    copied: bool = False

    @property
    def rows(self) -> int:
        """Rows below the header; of a single column, blank lines are rows without a value."""
        blank = self.survey.blank if len(self.header.columns) == 1 else 0
        return self.survey.records + blank - 1

    def close(self) -> None:
        """Deletes the copy, if it is one."""
        if self.copied:
            os.unlink(self.path)


def header_of(path: str, name: str) -> CsvHeader:
    """The header of a CSV file, compressed or not, in any encoding that is read.

    Args:
        path: The file.
        name: How messages call it.

    Raises:
        InputError: As :func:`~gdsfd.cohort.sources.file_kind.file_kind` and
            :func:`~gdsfd.cohort.sources.csv_header.csv_header`.
    """
    kind = file_kind(path, name)
    raw = first_bytes(path, name, kind.gzipped, _HEADER_BYTES)
    text = codecs.getincrementaldecoder(kind.encoding)(errors="replace").decode(raw)
    text = _one_line_end(text)
    if "\n" not in text:
        text = text.replace("\r", "\n")
    return csv_header(text, name, whole=len(raw) < _HEADER_BYTES)


def ready_csv(path: str, name: str, folder: Path) -> CsvText:
    """Looks at a whole CSV file, and copies it where DuckDB would not read it as it is.

    Args:
        path: The file.
        name: How messages call it.
        folder: Where a copy goes; it must go with the build.

    Raises:
        InputError: The file is not what a CSV file is; the message says what and where.
    """
    kind = file_kind(path, name)
    header = header_of(path, name)
    gzipped, copied = kind.gzipped, False
    if kind.encoding != "utf-8":
        path, gzipped, copied = _copied(_decoded(path, gzipped, kind.encoding, name), path, folder), False, True
    survey = _surveyed(path, gzipped, header, name)
    if survey.cr and (survey.lf or survey.crlf):
        raise InputError(
            f"{name}: {survey.cr:,} lines end with a carriage return (\\r) alone and "
            f"{survey.lf + survey.crlf:,} with a line feed; a line break inside a cell needs quotes around "
            "the cell. Mend the cells, or make the line ends alike, e.g. tr '\\r' '\\n' < OLD > NEW"
        )
    # DuckDB takes a quote behind a byte order mark for a letter, and a delimiter in that name for one between two
    hidden_quote = first_bytes(path, name, gzipped, 4) == codecs.BOM_UTF8 + b'"'
    if header.lines_above or survey.cr or survey.doubled or (survey.lf and survey.crlf) or hidden_quote:
        plain = _copied(_with_one_line_end(path, gzipped, header.lines_above, survey.cr > 0), path, folder)
        if copied:
            os.unlink(path)
        path, gzipped, copied = plain, False, True
        survey = _surveyed(path, gzipped, header, name)
    return CsvText(path, gzipped, header, "\r\n" if survey.crlf else "\n", survey, copied)


def _surveyed(path: str, gzipped: bool, header: CsvHeader, name: str) -> TextSurvey:
    with opened(path, gzipped) as stream:
        return survey_text(stream, name, header.delimiter)


def _decoded(path: str, gzipped: bool, encoding: str, name: str) -> Iterator[bytes]:
    """A file as UTF-8, piece by piece."""
    decoder = codecs.getincrementaldecoder(encoding)()
    read = 0
    with opened(path, gzipped) as stream:
        try:
            while chunk := stream.read(_CHUNK_BYTES):
                yield decoder.decode(chunk).encode()
                read += len(chunk)
            yield decoder.decode(b"", final=True).encode()
        except UnicodeDecodeError as error:
            raise InputError(
                f"{name} is {encoding.upper()}, but damaged after byte {read + error.start:,} ({error.reason}); copy "
                "it again, or export it as UTF-8"
            ) from None
        except (EOFError, OSError, zlib.error) as error:
            raise InputError(f"{name}: the .gz file breaks off or is damaged ({error}); copy it again") from None


def _with_one_line_end(path: str, gzipped: bool, lines_above: int, cr_alone: bool) -> Iterator[bytes]:
    """A file in UTF-8 with ``\\n`` after every line, from the header on, piece by piece."""
    held = b""
    with opened(path, gzipped) as stream:
        first = True
        while chunk := stream.read(_CHUNK_BYTES):
            if first:
                chunk, first = chunk.removeprefix(codecs.BOM_UTF8), False
            chunk = held + chunk
            whole = len(chunk.rstrip(b"\r"))  # what follows a last \r decides what it is
            chunk, held = chunk[:whole], chunk[whole:]
            text = _one_line_end(chunk)
            if cr_alone:
                text = text.replace(b"\r", b"\n")
            while lines_above and b"\n" in text:
                text, lines_above = text.split(b"\n", 1)[1], lines_above - 1
            if not lines_above:
                yield text
        yield b"\n" if held else b""


def _one_line_end(text: AnyStr) -> AnyStr:
    """Text whose ``\\r\\n`` (and ``\\r\\r\\n``, as programs write that add one themselves) are ``\\n``."""
    if isinstance(text, str):
        return re.sub("\r+\n", "\n", text)
    return re.sub(b"\r+\n", b"\n", text)


def _copied(pieces: Iterator[bytes], path: str, folder: Path) -> str:
    """Writes a file into the build's folder, for this user's eyes only."""
    try:
        handle, place = tempfile.mkstemp(prefix="text-", suffix=".csv", dir=folder)
        with os.fdopen(handle, "wb") as target:
            target.writelines(pieces)
    except OSError as error:
        raise InputError(
            f"{os.path.basename(path)} must be copied to be read (its encoding or line ends are not plain UTF-8), but "
            f"{folder} takes no copy: {error.strerror}. Make room, or convert the file"
        ) from None
    return place
