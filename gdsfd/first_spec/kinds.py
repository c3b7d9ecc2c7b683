"""Of which kind a table is: one row per patient, values of items, codes, or a vector."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from dataclasses import dataclass, field

import pandas as pd

from gdsfd.first_spec.clean_numbers import clean_number
from gdsfd.first_spec.column_facts import ColumnFacts
from gdsfd.first_spec.keys import Link
from gdsfd.first_spec.leaks import leak_by_name
from gdsfd.first_spec.sample import ExportTable
from gdsfd.first_spec.sql_names import sql_name
from gdsfd.first_spec.times import time_columns
from gdsfd.first_spec.words import folded, says

__all__ = ["KindGuess", "guess_kind", "is_hierarchy"]

_WIDTH = 8  #: numbered columns that make a vector
_STRONG = (
    r"string|path\b|path$|\bicd|icd\d|icd code|drug$|drug ?name|medication$|wirkstoff|concept id|decod|term$|trt$|"
    r"orderable|"
    r"organism|specialty|item ?id|allergyname|test ?name|\batc\b|snomed|procedure ?code|diagnos(is|e)$|_cd\b|\bcd$|"
    r"substance"
)
_WEAK = r"code|item|label|name|category|service|care ?unit|value$|order ?type|event|site$|wert$"
_NEVER = (
    r"type$|status|notetype|unit|route|frequency|user|priority|flag|severity|number|^prev|prior|comment|uom$|art$|sev$"
)


@dataclass
class KindGuess:
    """A kind with the fields that go with it.

    Args:
        kind: ``"table"``, ``"events"``, ``"codes"`` or ``"embedding"``; None where the table holds none of them.
        fields: Fields of the spec's entry, by name.
        derive: Name -> SQL.
        notes: Why, and what else it could be.
    """

    kind: str | None
    fields: dict[str, object] = field(default_factory=dict)
    derive: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def guess_kind(table: ExportTable, link: Link, passed_over: Collection[str] = ()) -> KindGuess:
    """Guesses the kind of a table.

    Args:
        table: The table.
        link: How it belongs to patients.
        passed_over: Columns that are keys, persons, sites.
    """
    own = [facts for name, facts in table.facts.items() if name != link.column and name not in passed_over]
    times = time_columns(table)
    data = [facts for facts in own if facts.filled and facts.name not in times]
    vector = _vector(table, link, data)
    if link.most <= 1:
        return vector or KindGuess("table", notes=["every patient has one row at most"])
    rows = f"a patient has up to {link.most:,} rows"
    long = _long(table, data, rows)
    if long is not None:
        return long
    codes = [facts for facts in data if _code_score(facts) > 0]
    best = max(codes, key=_code_score, default=None)
    wide = [facts for facts in data if _is_measurement(facts)]
    if wide and (best is None or (len(wide) >= 3 and not re.search(_STRONG, folded(best.name)))):
        columns = [facts.name for facts in wide]
        return KindGuess("events", {"values": columns}, notes=[f"{rows}, and {len(wide)} columns hold numbers"])
    if best is None:
        return KindGuess(None, notes=[f"{rows}, but no column holds codes or measured numbers"])
    return _codes(best, codes, data, rows)


def _vector(table: ExportTable, link: Link, data: list[ColumnFacts]) -> KindGuess | None:
    if table.nested and link.most <= 1 and len(data) <= 3:
        return KindGuess("embedding", {"columns": table.nested[0]}, notes=["one column holds a list per patient"])
    families: dict[str, list[ColumnFacts]] = {}
    for facts in data:
        found = re.fullmatch(r"(.*?[^0-9]?)(\d+)", facts.name)
        if found and (facts.is_number or _has_comma(facts)) and not facts.integers:
            families.setdefault(found[1], []).append(facts)
    stem, family = max(families.items(), key=lambda pair: len(pair[1]), default=("", []))
    if len(family) < _WIDTH or len(family) < 0.6 * len(data) or link.most > 1:
        return None
    if any(facts.filled < facts.rows for facts in family):
        return None
    cleaned = {facts.name: clean_number(facts) for facts in family if not facts.is_number}
    if None in cleaned.values():
        return None
    return KindGuess(
        "embedding",
        {"columns": f"{stem}*"},
        {name: one.sql for name, one in cleaned.items() if one is not None},
        [f"{len(family)} numbered columns without a blank are a vector"],
    )


def _has_comma(facts: ColumnFacts) -> bool:
    return facts.lookalikes is not None and facts.lookalikes.mostly_numbers


def _long(table: ExportTable, data: list[ColumnFacts], rows: str) -> KindGuess | None:
    """An item and a value per row; doses are no measurements, so drugs are codes."""
    values = [
        facts
        for facts in data
        if says(facts.name, "value")
        and not _is_key(facts)
        and not says(facts.name, "unit")
        and (facts.is_number or (facts.numbers >= 0.4) or facts.mostly_numbers)
        and facts.distinct > 2
        and facts.filled >= 0.3 * facts.rows
        and not re.search(r"low|high|range|dilution|original|text$", folded(facts.name))
    ]
    items = [facts for facts in data if _item_score(facts) > 0 and facts not in values]
    items = items or (_telling(table, values, data) if values else [])
    if not values or not items or re.search(r"procedure|eingriff", folded(table.name)):
        return None
    value = max(values, key=lambda facts: (facts.is_number, facts.numbers, facts.filled))
    item = max(items, key=_item_score) if len(items) > 1 else items[0]
    if says(item.name, "drug") or (
        says(table.name, "drug") and not re.search("lab|chart|vital|intakeoutput|output", folded(table.name))
    ):
        return None
    fields: dict[str, object] = {"item": item.name, "value": value.name}
    derive, notes = {}, [f"{rows}, each a value of an item"]
    cleaned = clean_number(value)
    if cleaned is not None:
        derive[value.name] = cleaned.sql
        notes.append(f"{value.name} is read with {cleaned.what}, as in {cleaned.example!r}")
    others = [facts.name for facts in items if facts is not item]
    if others:
        notes.append(f"the item could also be {', '.join(others[:4])}")
    if not value.is_number and cleaned is None:
        fields["invalid"] = "missing"
        share = value.lookalikes.cells - value.lookalikes.numbers if value.lookalikes else 0
        notes.append(f"values that are no numbers ({share:,} of those looked at) count as not measured")
    return KindGuess("events", fields, derive, notes)


def _item_score(facts: ColumnFacts) -> float:
    if facts.is_time or facts.form == "duration" or not 2 <= facts.distinct <= max(5_000, 0) or facts.length > 80:
        return 0.0
    if (
        (facts.distinct > 0.5 * facts.rows and facts.rows > 200)
        or not says(facts.name, "item")
        or says(facts.name, "unit")
    ):
        return 0.0
    if facts.is_number and not (facts.integers and re.search(r"id\b|id$|code|loinc", folded(facts.name))):
        return 0.0
    coarse = re.search(r"cat\b|category|type|path|panel|group|specimen|spec ", folded(facts.name))
    return 1.0 + 0.2 * math.log10(facts.distinct) + 0.5 * facts.filled / facts.rows - 0.8 * bool(coarse)


def _telling(table: ExportTable, values: list[ColumnFacts], data: list[ColumnFacts]) -> list[ColumnFacts]:
    """The words that say which quantity a value is, though their name does not: values differ most between them."""
    value = max(values, key=lambda facts: (facts.is_number, facts.filled))
    step = max(table.rows.num_rows // 5_000, 1)
    numbers = pd.to_numeric(pd.Series(table.cells(value.name)[::step], dtype=object), errors="coerce").rank()
    told: list[tuple[float, ColumnFacts]] = []
    for facts in data:
        words = facts.form == "text" and not says(facts.name, "unit") and not re.search(_NEVER, folded(facts.name))
        if facts in values or not words or not 2 <= facts.distinct <= min(2_000, facts.rows // 10) or facts.length > 80:
            continue
        item = pd.Series(table.cells(facts.name)[::step], dtype=object)
        within = numbers - numbers.groupby(item).transform("mean")
        told.append((1 - float(within.var() / (numbers.var() or 1.0)), facts))
    told = [(share, facts) for share, facts in told if share > 0.1 or len(told) == 1]
    return [max(told, key=lambda pair: pair[0])[1]] if told else []


def _is_key(facts: ColumnFacts) -> bool:
    """Whether a column of whole numbers tells rows or things apart."""
    return facts.integers and (facts.unique or re.search(r"id$|key$|\bsk$|seq", folded(facts.name)) is not None)


def _is_measurement(facts: ColumnFacts) -> bool:
    name = folded(facts.name)
    named_as_key = re.search(r"\bid\b|number$|\bnr\b|version|index|code$", name)
    if not facts.is_number or named_as_key or _is_key(facts) or says(facts.name, "time") or leak_by_name(facts.name):
        return False
    return facts.distinct > 2 and not facts.leading_zeros


def _code_score(facts: ColumnFacts) -> float:
    name = folded(facts.name)
    if facts.is_time or facts.form in ("duration", "blank") or facts.distinct < 2 or facts.length > 200:
        return 0.0
    strong, weak = bool(re.search(_STRONG, name)), bool(re.search(_WEAK, name))
    if facts.is_number and not (facts.integers and (strong or weak)):
        return 0.0
    if facts.distinct > 0.9 * facts.rows and facts.rows > 50 and not strong:
        return 0.0
    if says(facts.name, "row number") or (facts.is_number and says(facts.name, "person")):
        return 0.0
    if set(facts.levels) <= {"True", "False", "true", "false", "0", "1", "Yes", "No", "Y", "N", "ja", "nein"}:
        return 0.0
    score = 0.2 + (2.0 if strong else float(weak)) + 1.5 * facts.filled / facts.rows
    score += 0.7 * bool(re.search(r"string", name)) - 0.8 * bool(re.search(r"categor|group", name))
    score += (
        0.3 * math.log10(facts.distinct)
        - 1.5 * bool(re.search(_NEVER, name))
        - 0.7 * bool(re.search("name$|text$", name) and facts.length > 40)
    )
    return score


def is_hierarchy(facts: ColumnFacts) -> bool:
    """Whether codes are written as ``a|b|c``, the rarer below the more general."""
    return sum(count for cell, count in facts.top.items() if "|" in cell) > 0.5 * sum(facts.top.values())


def _codes(best: ColumnFacts, codes: list[ColumnFacts], data: list[ColumnFacts], rows: str) -> KindGuess:
    notes = [f"{rows}, together a set of codes"]
    others = sorted((facts for facts in codes if facts is not best), key=_code_score, reverse=True)
    if others:
        notes.append(f"the code could also be {', '.join(facts.name for facts in others[:4])}")
    fields: dict[str, object] = {"code": best.name}
    derive: dict[str, str] = {}
    stem = re.sub(r"[ _]*code$", "", best.name, flags=re.IGNORECASE)
    version = next((facts.name for facts in data if facts.name.casefold() == f"{stem}_version".casefold()), None)
    if version is not None:
        derive[stem] = f"CAST({sql_name(version)} AS VARCHAR) || ':' || {sql_name(best.name)}"
        fields["code"] = stem
        notes.append(f"codes of two versions share spellings, so {version} belongs to the code")
    return KindGuess("codes", fields, derive, notes)
