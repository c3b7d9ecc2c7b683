"""One look at the whole of a CSV file: how its lines end, how many records it holds, and whether it is text.

DuckDB reads a file by one kind of line end and, where it is another one, may return no row without a word. So the line
ends are taken from the whole file, and the records are counted here on a way of their own; whoever reads the file
compares.
"""

from __future__ import annotations

import codecs
import csv
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

import numpy as np
from numpy.typing import NDArray

from gdsfd.errors import InputError, cell_text

__all__ = ["MAX_RECORD_BYTES", "TextSurvey", "survey_text"]

_CHUNK_BYTES = 1 << 22
#: A record beyond it is a broken quote.
MAX_RECORD_BYTES = 64 << 20
_QUOTE, _LF, _CR = 34, 10, 13


@dataclass
class TextSurvey:
    """What a CSV file is made of.

    Args:
        records: Records that are not blank, the header among them.
        blank: Blank lines.
        lf, crlf, cr: Records that end with ``\\n``, with ``\\r\\n`` (or more ``\\r``), with ``\\r`` alone.
        doubled: ``\\r`` before another ``\\r``, outside quotes.
        longest: Bytes of the longest record.
        regular: Whether quotes stand only around fields, or doubled inside them.
    """

    records: int = 0
    blank: int = 0
    lf: int = 0
    crlf: int = 0
    cr: int = 0
    doubled: int = 0
    longest: int = 0
    regular: bool = True

    @property
    def ended(self) -> bool:
        """Whether a line end follows the last record."""
        return self.lf + self.crlf + self.cr >= self.records + self.blank


def survey_text(stream: IO[bytes], name: str, delimiter: str) -> TextSurvey:
    """Looks at a whole file.

    Args:
        stream: Its bytes, decompressed.
        name: How messages call it.
        delimiter: What separates fields.

    Returns:
        The survey. Where quotes stand inside unquoted fields (``5" tube``) it is worked out record by record.

    Raises:
        InputError: A .gz that breaks off, text that is not UTF-8, a NUL byte.

    Example:
        >>> found = survey_text(io.BytesIO(b'id,note\\r\\n1,"two\\nlines"\\r\\n2,b'), "notes.csv", ",")
        >>> found.records, found.crlf, found.lf
        (3, 2, 0)
    """
    counter = _Counter(name, delimiter)
    try:
        while chunk := stream.read(_CHUNK_BYTES):
            counter.add(chunk)
        counter.finish()
        if counter.survey.regular:
            if counter.survey.longest > MAX_RECORD_BYTES:
                raise _endless(name, counter.survey.longest, counter.longest_at)
            return counter.survey
        stream.seek(0)
        return _record_by_record(stream, name, delimiter)
    except (EOFError, OSError, zlib.error) as error:
        raise InputError(f"{name}: the .gz file breaks off or is damaged ({error}); copy it again") from None


class _Counter:
    """Counts chunk by chunk with array operations: a line end stands outside quotes where their number is even."""

    def __init__(self, name: str, delimiter: str) -> None:
        self.survey = TextSurvey()
        self.longest_at = 1  # about the line where the longest record begins
        self._name = name
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._beside_quotes = np.zeros(256, dtype=bool)
        self._beside_quotes[[ord(delimiter), ord(" "), _LF, _CR, _QUOTE]] = True
        self._last = _LF  # the byte before the chunk; a file begins as a line does
        self._quotes = self._lines = self._read = self._record_start = 0
        self._closed_at_end = False

    def add(self, chunk: bytes) -> None:
        self._check_text(chunk)
        if not self._read and chunk.startswith(codecs.BOM_UTF8):
            chunk = chunk[len(codecs.BOM_UTF8) :]
        if not chunk:
            return
        codes = np.frombuffer(chunk, dtype=np.uint8)
        quotes = np.flatnonzero(codes == _QUOTE) if b'"' in chunk else np.zeros(0, dtype=np.int64)
        self._check_quotes(codes, quotes)
        ends = self._outside(np.flatnonzero(codes == _LF), quotes)
        before = np.where(ends > 0, codes[ends - 1], self._last) if len(ends) else np.zeros(0, dtype=np.uint8)
        crlf = int((before == _CR).sum())
        self.survey.crlf += crlf
        self.survey.lf += len(ends) - crlf
        if b"\r" in chunk or self._last == _CR:
            self._count_lone(codes, quotes)
        self._count_records(ends, before)
        self._quotes += len(quotes)
        self._lines += chunk.count(b"\n")
        self._read += len(chunk)
        self._last = chunk[-1]

    def finish(self) -> None:
        """The last record, when no line end follows it."""
        if self._last == _CR and self._quotes % 2 == 0:
            self.survey.cr += 1
        left = self._read - self._record_start
        if left and self._last not in (_LF, _CR):
            self.survey.records += 1
        self.survey.longest = max(self.survey.longest, left)
        self._check_text(b"", final=True)
        if self._quotes % 2 or self.survey.cr:  # a quote is not closed, or lines end with \r alone
            self.survey.regular = False

    def _outside(self, places: NDArray[np.int64], quotes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Those places that no quotes surround."""
        if not len(quotes):
            return places if self._quotes % 2 == 0 else places[:0]
        return places[(np.searchsorted(quotes, places) + self._quotes) % 2 == 0]

    def _check_quotes(self, codes: NDArray[np.uint8], quotes: NDArray[np.int64]) -> None:
        if self._closed_at_end and len(codes) and not self._beside_quotes[codes[0]]:
            self.survey.regular = False
        self._closed_at_end = False
        if not len(quotes):
            return
        opening, closing = (quotes[(self._quotes + start) % 2 :: 2] for start in (0, 1))
        before = codes[opening[opening > 0] - 1]
        first = self._last if len(opening) and opening[0] == 0 else _LF
        after = codes[closing[closing < len(codes) - 1] + 1]
        self._closed_at_end = bool(len(closing)) and closing[-1] == len(codes) - 1
        beside = self._beside_quotes
        self.survey.regular &= bool(beside[before].all() and beside[first] and beside[after].all())

    def _count_lone(self, codes: NDArray[np.uint8], quotes: NDArray[np.int64]) -> None:
        """``\\r`` outside quotes that no ``\\n`` (nor another ``\\r``) follows."""
        if self._last == _CR and self._quotes % 2 == 0 and codes[0] not in (_LF, _CR):
            self.survey.cr += 1
        elif self._last == _CR and self._quotes % 2 == 0 and codes[0] == _CR:
            self.survey.doubled += 1
        places = self._outside(np.flatnonzero(codes == _CR), quotes)
        followed = codes[places[places < len(codes) - 1] + 1]
        self.survey.cr += int(((followed != _LF) & (followed != _CR)).sum())
        self.survey.doubled += int((followed == _CR).sum())

    def _count_records(self, ends: NDArray[np.int64], before: NDArray[np.uint8]) -> None:
        if not len(ends):
            return
        sizes = np.diff(ends, prepend=self._record_start - self._read - 1)
        blank = int(((sizes == 1) | ((sizes == 2) & (before == _CR))).sum())
        self.survey.blank += blank
        self.survey.records += len(ends) - blank
        if sizes.max() > self.survey.longest:
            self.survey.longest = int(sizes.max())
            self.longest_at = self._lines + 1
        self._record_start = self._read + int(ends[-1]) + 1

    def _check_text(self, chunk: bytes, final: bool = False) -> None:
        nul = chunk.find(0)
        if nul >= 0:
            line = self._lines + chunk[:nul].count(b"\n") + 1
            raise InputError(
                f"{self._name} holds a NUL byte at line {line}; text has none: copy the file again, or remove them, "
                "e.g. tr -d '\\000' < OLD > NEW"
            )
        if chunk.isascii() and not self._decoder.getstate()[0]:
            return
        try:
            self._decoder.decode(chunk, final)
        except UnicodeDecodeError as error:
            start = max(error.start - len(self._decoder.getstate()[0]), 0)
            line = self._lines + chunk[:start].count(b"\n") + 1
            around = error.object[max(error.start - 12, 0) : error.start + 8]
            # LATIN1 has no letters there, Windows' variant has: quotes, dashes, the euro sign.
            western = "WINDOWS-1252" if 0x80 <= error.object[error.start] < 0xA0 else "LATIN1"
            raise InputError(
                f"{self._name} is not UTF-8 at line {line} ({cell_text(around.decode('cp1252', errors='replace'))} if "
                f"it is {western}); convert it from the encoding it was written in, e.g. iconv -f {western} -t UTF-8 "
                "OLD > NEW"
            ) from None


def _record_by_record(stream: IO[bytes], name: str, delimiter: str) -> TextSurvey:
    """The survey by Python's own reader, which takes a quote inside an unquoted field for a letter."""
    survey = TextSurvey(regular=False)
    line_number = begun_at = 0
    size, last = 0, ""

    def lines() -> Iterator[str]:
        nonlocal line_number, size, last
        for last in io.TextIOWrapper(stream, encoding="utf-8-sig", newline=""):
            line_number += 1
            size += len(last) if last.isascii() else len(last.encode())
            if size > MAX_RECORD_BYTES:
                raise _endless(name, size, begun_at + 1)
            yield last

    with _fields_of_any_length():
        for record in csv.reader(lines(), delimiter=delimiter, skipinitialspace=True):
            survey.records += bool(record)
            survey.blank += not record
            survey.crlf += last.endswith("\r\n")
            survey.lf += last.endswith("\n") and not last.endswith("\r\n")
            survey.cr += last.endswith("\r")
            survey.longest = max(survey.longest, size)
            size, begun_at = 0, line_number
    return survey


def _endless(name: str, size: int, line: int) -> InputError:
    return InputError(
        f"{name}: the record that begins at line {line:,} has {size:,} bytes and more; expected at most "
        f"{MAX_RECORD_BYTES:,}. Is a quote in it not closed?"
    )


@contextmanager
def _fields_of_any_length() -> Iterator[None]:
    before = csv.field_size_limit(1 << 30)
    try:
        yield
    finally:
        csv.field_size_limit(before)
