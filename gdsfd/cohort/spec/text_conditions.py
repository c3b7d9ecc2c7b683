"""Conditions on the text of one column within an expression: comparisons with words, and patterns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gdsfd.cohort.spec.expression_tree import nodes, parser, written

__all__ = ["CellTest", "Comparison", "cell_test", "comparison"]

#: Functions and operators that say whether a text is of a form, by what says the same without "not".
_PATTERNS = {
    **{name: name for name in ("~~", "~~*", "~~~", "^@", "like_escape", "ilike_escape", "regexp_matches")},
    **{name: name for name in ("regexp_full_match", "starts_with", "prefix", "ends_with", "suffix", "contains")},
    **{name: name for name in ("list_contains", "list_has", "array_contains", "array_has")},
    **{"!~~": "~~", "!~~*": "~~*", "not_like_escape": "like_escape", "not_ilike_escape": "ilike_escape"},
}
_PLACES = frozenset(("strpos", "position", "instr"))  #: functions that say where a text stands in another, 0 = nowhere
_AS_WRITTEN = {" ~~ ": " LIKE ", " ~~* ": " ILIKE ", " ~~~ ": " GLOB "}
_EQUAL = {"COMPARE_NOTEQUAL": "COMPARE_EQUAL", "COMPARE_NOT_IN": "COMPARE_IN"}
_LOWER = {"upper": "lower", "ucase": "lower"}


@dataclass(frozen=True)
class Comparison:
    """A bare column that is compared for equality with texts.

    Args:
        column: The column, as written.
        words: The texts.
        unequal: Whether the comparison is true where none of them is equal.
    """

    column: str
    words: tuple[str, ...]
    unequal: bool = False


@dataclass(frozen=True)
class CellTest:
    """A condition on the text of one column beside constants: a pattern, or a comparison of what is made of the text.

    Args:
        column: The column, as written.
        sql: What is true where the text is of the form, without "not" and as DuckDB writes it.
        lowered: The same of texts in lower case; ``""`` where that would be another pattern.
        unequal: Whether the text counts where it is not of the form, or that is not known.
    """

    column: str
    sql: str
    lowered: str
    unequal: bool = False

    @property
    def words(self) -> str:
        """The condition for people."""
        found = self.sql
        for operator, word in _AS_WRITTEN.items():
            found = found.replace(operator, word)
        return found[1:-1] if found.startswith("(") and found.endswith(")") else found

    def held_by(self, cells: Sequence[str], lower: bool = False) -> list[str]:
        """The cells of which it is true, at most one; of :attr:`lowered` with ``lower``."""
        name = '"' + self.column.replace('"', '""') + '"'
        cell = "lower(cell)" if lower else "cell"
        query = (
            f"SELECT cell FROM (SELECT {cell} AS {name}, cell FROM (SELECT unnest(?::VARCHAR[]) AS cell)) "
            f"WHERE {self.lowered if lower else self.sql} LIMIT 1"
        )
        return [str(row[0]) for row in parser().execute(query, [list(cells)]).fetchall()]


def comparison(node: dict[str, Any], unequal: bool) -> Comparison | None:
    """A comparison of one bare column with texts, or None."""
    kind = node.get("type")
    if kind in ("COMPARE_EQUAL", "COMPARE_NOTEQUAL"):
        sides = [node.get("left"), node.get("right")]
        sides = sides if isinstance(sides[0], dict) and sides[0].get("class") == "COLUMN_REF" else sides[::-1]
    elif kind in ("COMPARE_IN", "COMPARE_NOT_IN"):
        sides = list(node.get("children", []))
    else:
        return None
    parts = [side if isinstance(side, dict) else {} for side in sides]
    literals = [part.get("literal") or {} for part in parts[1:]]
    if not literals or parts[0].get("class") != "COLUMN_REF" or len(parts[0]["column_names"]) != 1:
        return None
    if any(literal.get("kind") != "STRING" for literal in literals):
        return None
    words = tuple(dict.fromkeys(str(literal["text"]) for literal in literals))
    return Comparison(parts[0]["column_names"][0], words, unequal != (kind in ("COMPARE_NOTEQUAL", "COMPARE_NOT_IN")))


def cell_test(node: dict[str, Any], unequal: bool) -> CellTest | None:
    """A condition on the text of one column beside constants that are texts, or None."""
    kind, name = node.get("type"), str(node.get("function_name", "")).lower()
    columns = {part["column_names"][0] for part in nodes(node) if part["class"] == "COLUMN_REF"}
    texts = [part["literal"]["text"] for part in nodes(node) if (part.get("literal") or {}).get("kind") == "STRING"]
    if len(columns) != 1 or not any(str(text).strip() for text in texts):
        return None
    if node["class"] == "FUNCTION" and name in _PATTERNS:
        positive, turned = _called(node, _PATTERNS[name]), _PATTERNS[name] != name
    elif node["class"] == "FUNCTION" and name in _PLACES:
        positive, turned, unequal = node, True, False
    elif kind in (*_EQUAL, *_EQUAL.values()) and _sides_of_texts(node):
        positive, turned = {**node, "type": _EQUAL.get(kind, kind)}, kind in _EQUAL
    else:
        return None
    beyond = " > 0" if name in _PLACES else ""
    escaped = "regexp" in name and any(re.search(r"\\[A-Z]", str(text)) for text in texts)
    lowered = "" if escaped else written(_in_lower_case(positive)) + beyond
    return CellTest(next(iter(columns)), written(positive) + beyond, lowered, unequal != turned)


def _sides_of_texts(node: dict[str, Any]) -> bool:
    """Whether what is made of a column is compared with texts: all other sides are constants."""
    sides = [node.get("left"), node.get("right")] if node["class"] == "COMPARISON" else node.get("children", [])
    fixed = [side for side in sides if isinstance(side, dict) and side.get("class") == "CONSTANT"]
    return len(fixed) == len(sides) - 1 and all((side.get("literal") or {}).get("kind") == "STRING" for side in fixed)


def _in_lower_case(tree: Any) -> Any:
    """The same expression with its texts in lower case, and nothing in it that writes capitals."""
    if isinstance(tree, list):
        return [_in_lower_case(part) for part in tree]
    if not isinstance(tree, dict):
        return tree
    made = {key: _in_lower_case(part) for key, part in tree.items()}
    if made.get("kind") == "STRING" and isinstance(made.get("text"), str):
        made["text"] = made["text"].lower()
    if made.get("class") == "FUNCTION":
        return _called(made, _LOWER.get(str(made["function_name"]).lower(), made["function_name"]))
    return made


def _called(node: dict[str, Any], name: str) -> dict[str, Any]:
    """A function's part of an expression with another function's name, which DuckDB keeps in two places."""
    return {**node, "function_name": name, "qualified_name": {"path": [name]}}
