"""The functions that a spec may use are scalar, the same in every run, and those of the documentation."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb

from gdsfd.cohort.spec.row_functions import ALLOWED_FUNCTIONS, ALLOWED_OPERATORS, FUNCTIONS_BY_SUBJECT

ROOT = Path(__file__).parents[3]


def test_admitted_functions_are_scalar_and_the_same_in_every_run() -> None:
    rows = duckdb.connect().execute(
        "SELECT function_name, function_type, parameter_types, coalesce(stability, 'CONSISTENT') "
        "FROM duckdb_functions() WHERE database_name = 'system'"
    )
    seen = set()
    for name, kind, types, stability in rows.fetchall():
        if name not in ALLOWED_FUNCTIONS | ALLOWED_OPERATORS:
            continue
        seen.add(name)
        assert kind in ("scalar", "macro"), name
        # Within one query only: what depends on the time zone, and the database's is always UTC.
        zoned = any("TIME ZONE" in one or "TIMESTAMPTZ" in one for one in types if one) or name in (
            "make_timestamptz",
            "timezone",
        )
        assert stability == "CONSISTENT" or (stability == "CONSISTENT_WITHIN_QUERY" and zoned), (name, types)
    grammar = {
        "coalesce",
        "ifnull",
        "nullif",
        "if",
        "position",
        "overlay",
        "like_escape",
        "&&",
    }  # some are no functions
    assert not (ALLOWED_FUNCTIONS | ALLOWED_OPERATORS) - seen - grammar


def test_the_documentation_lists_what_is_taken() -> None:
    text = (ROOT / "docs" / "spec.md").read_text(encoding="utf-8")
    for subject, names in FUNCTIONS_BY_SUBJECT.items():
        row = next(line for line in text.splitlines() if line.startswith(f"| {subject} |"))
        assert re.findall(r"`(\w+)`", row) == list(names)
