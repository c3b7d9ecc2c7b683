"""The line of a spec that turns a column of decorated numbers into numbers, for messages; tried before it is told.

``1.032,0`` is read by one expression and ``1,032.0`` by another, and what reads the one makes another number of the
other. So every expression is tried on the column's own cells, and one is told only where it gives what stands there.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence

import duckdb

from gdsfd.cohort.columns.number_lookalikes import is_missing_word, number_in
from gdsfd.cohort.sources.sql_text import quoted

__all__ = ["value_of", "way_to_derive"]

_NUMBER = "[-+]?[0-9]*[.]?[0-9]+(?:[eE][-+]?[0-9]+)?"
_FIRST = f"TRY_CAST(regexp_extract({{0}}, '{_NUMBER}') AS DOUBLE)"
_NO_COMMA = "replace({0}, ',', '')"
_COMMA_AS_POINT = "replace({0}, ',', '.')"
#: Without points, blanks and apostrophes between thousands; then the comma is the decimal sign.
_ONLY_COMMA = "replace(regexp_replace({0}, '[^0-9,+-]', '', 'g'), ',', '.')"
_ONLY_POINT = "regexp_replace({0}, '[^0-9.+-]', '', 'g')"
_UNGROUPED = r"replace(regexp_replace({0}, '([0-9])[. _'']([0-9]{{3}})', '\1\2', 'g'), ',', '.')"
#: What may read a column, the plainest first; those that read a whole cell before those that pick a number out of it.
_CANDIDATES = (
    *(f"CAST({inner} AS DOUBLE)" for inner in (_COMMA_AS_POINT, _NO_COMMA, _ONLY_POINT, _ONLY_COMMA)),
    "CAST(split_part({0}, '/', 1) AS DOUBLE)",
    *(_FIRST.replace("{0}", inner) for inner in ("{0}", _COMMA_AS_POINT, _NO_COMMA, _UNGROUPED)),
)
_POWER = re.compile(r"(.*?)\s*[x*·]\s*10\s*(?:\^|\*\*|e)?\s*([+-]?\d{1,2})", re.IGNORECASE)
_POINTED = re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+")
_DECIMAL_COMMA = re.compile(r"\d,\d")
#: Decorations that may turn a number round, or not: what they mean is not for a message to say.
_UNCERTAIN = ("brackets", "a sign behind")


def way_to_derive(column: str, texts: Sequence[str]) -> str:
    """What turns a column into numbers.

    Args:
        column: The column.
        texts: Some of its cells, those that are plain numbers among them.

    Returns:
        A line of the spec, as SQL that was found to read these cells; empty where none was.

    Example:
        >>> print(way_to_derive("crp", ["8,4", "7"]))
        derive = {crp = "CAST(replace(crp, ',', '.') AS DOUBLE)"}
    """
    values = _values(texts)
    if values is None:
        return ""
    name = column if re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", column) else quoted(column)
    key = column if re.fullmatch(r"[A-Za-z0-9_-]+", column) else json.dumps(column, ensure_ascii=False)
    with duckdb.connect(":memory:") as database:
        for template in _candidates(texts):
            if _reads(database, template.format("cell"), texts, values):
                return f"derive = {{{key} = {json.dumps(template.format(name), ensure_ascii=False)}}}"
    return ""


def value_of(text: str, comma: bool = False) -> float | None:
    """The number that a cell says; None where it says none, or not surely which.

    Args:
        text: The cell.
        comma: Whether its column writes decimals with a comma, so that points stand between thousands.

    Example:
        >>> value_of("1,200 mg"), value_of("1.032,0"), value_of("7.4 H"), value_of("ward 3"), value_of("(5)")
        (1200.0, 1032.0, 7.4, None, None)
    """
    kind, number = number_in(text)
    if not kind or kind in _UNCERTAIN:
        return None
    power = _POWER.fullmatch(number)
    if power:
        mantissa = _plain(power[1], comma)
        return None if mantissa is None else mantissa * 10.0 ** int(power[2])
    return _plain(number.split("/")[0] if kind == "a fraction" else number, comma)


def _plain(number: str, comma: bool) -> float | None:
    """A number whose thousands may be apart, by what its signs can only mean."""
    text = re.sub(r"[ '_]", "", number.strip())
    last = max(text.rfind(","), text.rfind("."))
    if "," in text and "." in text:
        decimal = text[last]
    elif "," in text:
        decimal = "" if re.fullmatch(r"[+-]?[1-9]\d{0,2}(?:,\d{2,3})*,\d{3}", text) and not comma else ","
    else:
        decimal = "" if text.count(".") > 1 or (comma and _POINTED.fullmatch(text)) else "."
    text = "".join(sign for sign in text if sign not in ",." or sign == decimal).replace(",", ".")
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _values(texts: Sequence[str]) -> list[float | None] | None:
    """What an expression has to make of each cell, None = null; None for all where that is not known of one."""
    comma = any(_DECIMAL_COMMA.search(text) and _is_decimal_comma(text) for text in texts)
    powers = {power[2] for power in (_POWER.search(number_in(text)[1]) for text in texts) if power}
    values = []
    for text in texts:
        value = value_of(text, comma)
        kind, number = number_in(text)
        power = _POWER.fullmatch(number)
        if value is not None and power and len(powers) == 1:  # as a unit is: the same behind every number
            value = _plain(power[1], comma)
        if value is None and kind and not is_missing_word(text):
            return None
        values.append(value)
    return values if any(value is not None for value in values) else None


def _is_decimal_comma(text: str) -> bool:
    """Whether the comma of a cell cannot stand between thousands."""
    number = re.sub(r"[ '_]", "", number_in(text)[1])
    if number.count(",") != 1:
        return False
    before, behind = number.split(",")
    return "." in before or ("." not in behind and len(behind) != 3) or before.lstrip("+-") in ("", "0")


def _candidates(texts: Sequence[str]) -> Iterator[str]:
    for template in _CANDIDATES:
        yield template
    if any("\u2212" in text for text in texts):  # the minus of typesetters
        for template in _CANDIDATES:
            yield template.replace("{0}", "replace({0}, '\u2212', '-')")


def _reads(database: duckdb.DuckDBPyConnection, sql: str, texts: Sequence[str], values: Sequence[float | None]) -> bool:
    """Whether an expression over ``cell`` gives these values."""
    query = f"SELECT {sql} FROM (SELECT unnest(?::VARCHAR[]) AS cell)"
    try:
        found = [row[0] for row in database.execute(query, [list(texts)]).fetchall()]
    except duckdb.Error:
        return False
    return all(
        got is None if value is None else got is not None and math.isclose(got, value, rel_tol=1e-12)
        for got, value in zip(found, values, strict=True)
    )
