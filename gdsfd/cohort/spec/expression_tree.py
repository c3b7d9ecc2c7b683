"""DuckDB's own parser as a reader of expressions: it runs nothing, and no second parser sees a text otherwise."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import duckdb

from gdsfd.errors import SpecError

__all__ = ["WHAT_IS_TAKEN", "nodes", "parser", "statements", "written"]

WHAT_IS_TAKEN = "expected one SQL expression over the columns of one row"


def statements(query: str) -> list[Any]:
    """The statements of a text, as DuckDB describes them; none where it is no SQL or no SELECT."""
    try:
        answer = parser().execute("SELECT json_serialize_sql(?::VARCHAR)", [query]).fetchone()
        parsed = json.loads(answer[0] if answer else "{}", object_hook=_without_places)
    except RecursionError:
        raise SpecError("the expression is nested too deeply; derive parts of it as columns first") from None
    except (duckdb.Error, UnicodeError, ValueError) as error:
        raise SpecError(f"{str(error).splitlines()[0]}; {WHAT_IS_TAKEN}") from None
    return parsed.get("statements", [])  # none: not SELECT, or not SQL


def _without_places(node: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in node.items() if not key.startswith("query_location")}


def nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """All parts of an expression that have a class, whatever the database's version calls the links between them."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(reversed(node))
        elif isinstance(node, dict):
            if "class" in node:
                yield node
            waiting.extend(reversed(list(node.values())))


def written(node: dict[str, Any]) -> str:
    """A part of an expression as DuckDB writes it."""
    around = statements("SELECT 1")
    around[0]["node"]["select_list"] = [node]
    text = json.dumps({"error": False, "statements": around})
    answer = parser().execute("SELECT json_deserialize_sql(?::JSON)", [text]).fetchone()
    return str(answer[0] if answer else "").removeprefix("SELECT ")


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    """A database that only parses: it has no tables, no way out, and cannot be told otherwise."""
    return duckdb.connect(
        ":memory:", config={"enable_external_access": False, "lock_configuration": True, "threads": 1}
    )


def parser() -> duckdb.DuckDBPyConnection:
    """A connection of the database that only parses."""
    return _connection().cursor()
