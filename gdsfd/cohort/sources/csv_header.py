"""The header of a CSV file: where it stands, what separates its names, and what they are."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from gdsfd.cohort.sources.column_names import BLANKS, checked_names
from gdsfd.errors import InputError, cell_text, shown

__all__ = ["CsvHeader", "csv_header"]

_DELIMITERS = ",\t;|"
_LOOKED_AT = 50  #: records below the header that are compared with it
_AGREE = 0.9  #: share of them that must have one number of fields before the header is blamed
_BLANK_LINES = re.compile(rf"(?:[{re.escape(_DELIMITERS + BLANKS.replace(chr(10), ''))}]*\n)+")
_EXCEL_HINT = re.compile(r"\"?sep=(.)\"?[,;\t|]*\s*\n", re.IGNORECASE)


@dataclass(frozen=True)
class CsvHeader:
    """The header of a CSV file.

    Args:
        columns: Names, blanks around them taken off.
        delimiter: The character between them.
        lines_above: Lines above it that say nothing and are skipped: blank ones, and Excel's ``sep=;``.
    """

    columns: tuple[str, ...]
    delimiter: str
    lines_above: int = 0


def csv_header(text: str, name: str, whole: bool = True) -> CsvHeader:
    """Finds the header.

    Args:
        text: The beginning of the file, line ends as ``\\n``.
        name: How messages call the file.
        whole: Whether this is the whole file, so that its last line is whole, too.

    Raises:
        InputError: No header; lines above it; more or fewer names than fields; a blank, endless or repeated name.

    Example:
        >>> csv_header("sep=;\\nid;\\"heart; rate\\"\\n1;80\\n", "labs.csv")
        CsvHeader(columns=('id', 'heart; rate'), delimiter=';', lines_above=1)
    """
    text = text.removeprefix("\ufeff")
    hint = _EXCEL_HINT.match(text)
    body = text[hint.end() :] if hint else text
    blank = _BLANK_LINES.match(body)
    above = body[: blank.end()].count("\n") if blank else 0
    body = body[blank.end() :] if blank else body
    if not body.strip(BLANKS + _DELIMITERS):
        raise InputError(f"{name} is empty; expected a header line with column names")
    above += 1 if hint else 0
    delimiters = [hint[1]] if hint else list(_DELIMITERS)
    records = {delimiter: _records(body, delimiter, name, whole) for delimiter in delimiters}
    delimiter = max(delimiters, key=lambda sign: (_agreement(records[sign]), -delimiters.index(sign)))
    found = records[delimiter]
    _check_widths(found, name, above)
    return CsvHeader(checked_names(found[0], name), delimiter, above)


def _records(body: str, delimiter: str, name: str, whole: bool) -> list[list[str]]:
    """The first records; one that the excerpt cuts off is left out."""
    reader = csv.reader(io.StringIO(body, newline=""), delimiter=delimiter, skipinitialspace=True)
    found: list[list[str]] = []
    try:
        for record in reader:
            if record or not found:
                found.append(record)
            if len(found) > _LOOKED_AT:
                return found
    except csv.Error as error:
        if not found:
            raise InputError(
                f"{name}: its header cannot be read ({error}): a name is longer than any name should be. Is a quote "
                "not closed, or is this not the header?"
            ) from None
        return found
    return found if whole or len(found) < 2 else found[:-1]


def _usual(records: Sequence[Sequence[str]]) -> tuple[int, float]:
    """The number of fields that most records below the header have, and their share; 0 without records."""
    counts = Counter(len(record) for record in records[1:])
    width, times = counts.most_common(1)[0] if counts else (0, 0)
    return width, times / max(len(records) - 1, 1)


def _agreement(records: Sequence[Sequence[str]]) -> tuple[bool, bool, int]:
    """How well a delimiter explains the first lines: names for all fields, then fields alike, then many names."""
    width, share = _usual(records)
    names = len(records[0])
    return names > 1 and width in (0, names) and share >= _AGREE * bool(width), width > 1 and share >= _AGREE, names


def _check_widths(records: Sequence[Sequence[str]], name: str, above: int) -> None:
    """Raises an InputError where the records below agree on a number of fields that the header has not."""
    width, share = _usual(records)
    names = len(records[0])
    if width == names or not width or share < _AGREE:
        return
    first = cell_text(", ".join(records[0]))
    line = above + 1
    if names == width - 1 and len(records) > 2:
        tails = {record[-1].strip(BLANKS) for record in records[1:] if len(record) == width}
        if tails == {""}:
            raise InputError(
                f"{name}: every line but the header ends with a delimiter, so there are {names} names for {width} "
                "fields; end the header with one, too, or none"
            )
        if names > 1:
            raise InputError(
                f"{name}: line {line} has {names} names ({first}) but the lines below have {width} fields; a name is "
                "missing. Row names as R writes them? Then write.csv(..., row.names = FALSE), or give them a name"
            )
    if names < width:
        where = next((k for k, record in enumerate(records) if len(record) == width), 1)
        lines = f"line {line} is" if where == 1 else f"lines {line} to {line + where - 1} are"
        raise InputError(
            f"{name}: {lines} above the header: {first} has {names} {'field' if names == 1 else 'fields'}, the lines "
            f"below have {width}; expected the column names in the first line. Remove what stands above them, e.g. "
            f"tail -n +{line + where} OLD > NEW"
        )
    raise InputError(
        f"{name}: line {line} has {names} names but the lines below have {width} fields; expected as many: the header "
        f"is {first}, and below it {shown([', '.join(record) for record in records[1:3]])}"
    )
