"""The SQL that users write, ``where`` and ``derive``, admitted only as one scalar expression over one row.

Specs are shared between people who do not know each other, so their SQL must not be a program. DuckDB's own parser says
what a text is (``json_serialize_sql``, which runs nothing): a second parser might see the text otherwise than the
database that runs it. Every part of the tree must then be of a kind that is known to be harmless; whatever is not known
is refused by name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import Any

import duckdb

from gdsfd.cohort.spec.row_functions import ALLOWED_FUNCTIONS, ALLOWED_OPERATORS, ALLOWED_TYPES
from gdsfd.errors import SpecError, near_names

__all__ = ["RAW_SUFFIX", "CellTest", "Comparison", "RowExpression", "row_expression"]

RAW_SUFFIX = "__text"  #: a text column as written, beside its typed self, for the user's SQL

_HARMLESS = frozenset(("COLUMN_REF", "CONSTANT", "COMPARISON", "CONJUNCTION", "BETWEEN", "CASE", "CAST", "TYPE"))
_OPERATORS = frozenset(
    (
        *("OPERATOR_NOT", "OPERATOR_IS_NULL", "OPERATOR_IS_NOT_NULL", "OPERATOR_COALESCE", "OPERATOR_NULLIF"),
        *("COMPARE_IN", "COMPARE_NOT_IN", "ARRAY_EXTRACT", "ARRAY_SLICE", "STRUCT_EXTRACT", "ARRAY_CONSTRUCTOR"),
        "OPERATOR_TRY",
    )
)
_WORDS = {
    "SUBQUERY": "a subquery",
    "WINDOW": "a window function",
    "STAR": "* or COLUMNS()",
    "PARAMETER": "a parameter",
    "POSITIONAL_REFERENCE": "a column by its number (#1)",
    "LAMBDA": "a lambda (or the operator ->; ->> takes a text out of JSON)",
    "DEFAULT": "DEFAULT",
    "COLLATE": "COLLATE (lower() and strip_accents() make texts alike)",
}
_EQUALITIES = ("COMPARE_EQUAL", "COMPARE_NOTEQUAL", "COMPARE_DISTINCT_FROM", "COMPARE_NOT_DISTINCT_FROM")
_TEXT_MAKERS = frozenset(("||", "concat", "concat_ws", "format", "printf"))
_TEXT_TYPES = frozenset(("VARCHAR", "TEXT", "STRING", "CHAR", "BPCHAR"))
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
_WHAT_IS_TAKEN = "expected one SQL expression over the columns of one row"


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
        return [str(row[0]) for row in _parser().execute(query, [list(cells)]).fetchall()]


@dataclass(frozen=True)
class RowExpression:
    """An admitted expression.

    Args:
        text: As the user wrote it. Whoever runs it puts it between parentheses, on lines of its own.
        columns: Names of the columns that it reads, as written, each once.
        ordered: Those that stand bare beside ``<``, ``>``, ``<=``, ``>=`` or in ``BETWEEN``.
        spelled: Those that stand bare where a text is made: beside ``||``, in ``concat`` and the like, cast to text.
        compared: Comparisons of bare columns with texts, by ``=``, ``<>``, ``IN`` and ``CASE ... WHEN``.
        tested: Other conditions on the text of one column: ``LIKE 'mg%'``, ``lower(unit) = 'mg'``.
    """

    text: str
    columns: tuple[str, ...]
    ordered: frozenset[str] = frozenset()
    spelled: frozenset[str] = frozenset()
    compared: tuple[Comparison, ...] = ()
    tested: tuple[CellTest, ...] = ()

    @property
    def sql(self) -> str:
        """The expression in parentheses; the line breaks end a comment (``--``) that the text may end with."""
        return f"(\n{self.text}\n)"

    def reads(self, column: str) -> bool:
        """Whether it reads a column, typed or as written; as in SQL, upper and lower case are alike."""
        return not {column.lower(), (column + RAW_SUFFIX).lower()}.isdisjoint(self._lowered)

    @cached_property
    def _lowered(self) -> frozenset[str]:
        return frozenset(name.lower() for name in self.columns)

    def check_columns(self, known: Iterable[str]) -> None:
        """Refuses names that are no columns: DuckDB would take ``current_date`` or ``rowid`` for something else.

        Args:
            known: The columns that there are.

        Raises:
            SpecError: One of the names is none of them.
        """
        names = list(known)
        lowered = {name.lower() for name in names}
        for column in self.columns:
            if column.lower() not in lowered:
                raise SpecError(f"column {column!r} was not found.{near_names(column, names)}")


@lru_cache(maxsize=4096)
def row_expression(text: str) -> RowExpression:
    """Admits a text as one scalar expression over one row that gives the same in every run.

    Args:
        text: DuckDB SQL.

    Raises:
        SpecError: It is something else: a statement, several expressions, a subquery, an aggregate, a window, a
            function or a type that is not among those admitted (:mod:`gdsfd.cohort.spec.row_functions`), or not SQL.

    Example:
        >>> row_expression("age >= 18 AND lower(unit) = 'icu'").columns
        ('age', 'unit')
        >>> row_expression("read_text('/etc/passwd') = ''")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
            ...
        gdsfd.errors.SpecError: the function 'read_text' ...
    """
    # Alone, "1) + (2" is wrong, and in parentheses "a AS b" is: what passes both is one expression and stays one there.
    tree, same = _parsed(text, "SELECT\n{}\nFROM t"), _parsed(text, "SELECT (\n{}\n) FROM t")
    if tree is None or tree != same:
        raise SpecError(_what_it_is(text))
    columns: dict[str, None] = {}
    ordered: set[str] = set()
    spelled: set[str] = set()
    compared: dict[Comparison, None] = {}
    tested: dict[CellTest, None] = {}
    negated = _denied(tree)
    for node in _nodes(tree):
        _check(node)
        comparison = _comparison(node, unequal=id(node) in negated)
        if comparison is not None:
            compared[comparison] = None
        elif test := _cell_test(node, unequal=id(node) in negated):
            tested[test] = None
        if node["class"] == "COLUMN_REF":
            columns[node["column_names"][0]] = None
        elif node["class"] in ("COMPARISON", "BETWEEN") and node["type"] not in _EQUALITIES:
            sides = [side for side in node.values() if isinstance(side, dict)]
            ordered |= {side["column_names"][0] for side in sides if side.get("class") == "COLUMN_REF"}
        elif _makes_text(node):
            spelled |= {part["column_names"][0] for part in _inside(node) if part.get("class") == "COLUMN_REF"}
    return RowExpression(text, tuple(columns), frozenset(ordered), frozenset(spelled), tuple(compared), tuple(tested))


def _denied(tree: Any) -> set[int]:
    """The parts that a NOT stands directly before."""
    nots = (node for node in _nodes(tree) if node.get("type") == "OPERATOR_NOT")
    return {id(child) for node in nots for child in node.get("children", [])}


def _comparison(node: dict[str, Any], unequal: bool) -> Comparison | None:
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


def _cell_test(node: dict[str, Any], unequal: bool) -> CellTest | None:
    """A condition on the text of one column beside constants that are texts, or None."""
    kind, name = node.get("type"), str(node.get("function_name", "")).lower()
    columns = {part["column_names"][0] for part in _nodes(node) if part["class"] == "COLUMN_REF"}
    texts = [part["literal"]["text"] for part in _nodes(node) if (part.get("literal") or {}).get("kind") == "STRING"]
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
    lowered = "" if escaped else _written(_in_lower_case(positive)) + beyond
    return CellTest(next(iter(columns)), _written(positive) + beyond, lowered, unequal != turned)


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


def _written(node: dict[str, Any]) -> str:
    """A part of an expression as DuckDB writes it."""
    statements = _statements("SELECT 1")
    statements[0]["node"]["select_list"] = [node]
    text = json.dumps({"error": False, "statements": statements})
    answer = _parser().execute("SELECT json_deserialize_sql(?::JSON)", [text]).fetchone()
    return str(answer[0] if answer else "").removeprefix("SELECT ")


def _makes_text(node: dict[str, Any]) -> bool:
    """Whether a part of an expression writes what is in it as text."""
    if node["class"] == "FUNCTION":
        return str(node["function_name"]).lower() in _TEXT_MAKERS
    if node["class"] != "CAST":
        return False
    kind = node.get("type_expr") or node.get("cast_type") or {}
    return str(kind.get("type_name") or kind.get("id") or "").upper() in _TEXT_TYPES


def _inside(node: dict[str, Any]) -> list[dict[str, Any]]:
    """What stands directly in a function or a cast; the links have other names before DuckDB 2."""
    links = [node.get("child"), *node.get("children", []), *node.get("arguments", [])]
    return [link.get("expression", link) for link in links if isinstance(link, dict)]


def _parsed(text: str, frame: str) -> Any:
    """The expression's tree, without its places in the text; None unless the text is one expression there."""
    statements = _statements(frame.replace("{}", text))
    empty = _statements(frame.replace("{}", "1"))
    if len(statements) != 1:
        return None
    chosen = statements[0]["node"].pop("select_list", [])
    empty[0]["node"].pop("select_list")
    statements[0].pop("named_param_map", None)  # a parameter is refused by name, below
    empty[0].pop("named_param_map", None)
    return chosen[0] if statements == empty and len(chosen) == 1 and not chosen[0].get("alias") else None


def _statements(query: str) -> list[Any]:
    try:
        answer = _parser().execute("SELECT json_serialize_sql(?::VARCHAR)", [query]).fetchone()
        parsed = json.loads(answer[0] if answer else "{}", object_hook=_without_places)
    except RecursionError:
        raise SpecError("the expression is nested too deeply; derive parts of it as columns first") from None
    except (duckdb.Error, UnicodeError, ValueError) as error:
        raise SpecError(f"{str(error).splitlines()[0]}; {_WHAT_IS_TAKEN}") from None
    return parsed.get("statements", [])  # none: not SELECT, or not SQL


def _without_places(node: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in node.items() if not key.startswith("query_location")}


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
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


def _check(node: dict[str, Any]) -> None:
    kind = node["class"]
    if kind == "FUNCTION":
        _check_function(node)
    elif kind == "OPERATOR":
        if node["type"] not in _OPERATORS:
            raise SpecError(f"{node['type'].lower().replace('_', ' ')} is not taken; {_WHAT_IS_TAKEN}")
    elif kind not in _HARMLESS:
        words = _WORDS.get(kind, kind.lower())
        if kind == "WINDOW":
            words += f" ({node.get('function_name', '')})"
        raise SpecError(f"{words} is not taken; {_WHAT_IS_TAKEN}")
    if kind == "TYPE":
        _check_type(str(node.get("type_name", "")))
    elif kind == "CAST" and "cast_type" in node:  # before DuckDB 2
        _check_type(str(node["cast_type"].get("id", "")))


def _check_type(name: str) -> None:
    if name and name.upper() not in ALLOWED_TYPES:
        raise SpecError(f"the type {name!r} is not taken; cast to one of {', '.join(sorted(ALLOWED_TYPES))}")


def _check_function(node: dict[str, Any]) -> None:
    name = str(node["function_name"]).lower()
    owner = node.get("catalog") or node.get("schema")
    if owner and owner != "main":  # main: what the database itself brings
        raise SpecError(f"{owner}.{name}() is not taken; write {name}({owner}) if {owner!r} is a column")
    if name not in ALLOWED_FUNCTIONS and name not in ALLOWED_OPERATORS:
        what = "operator" if node.get("is_operator") else "function"
        near = near_names(name, ALLOWED_FUNCTIONS)
        raise SpecError(
            f"the {what} {name!r} is not taken{_why(name)}; docs/spec.md lists those that are."
            + (near if near.startswith(" Did") else "")
        )
    further = [word for word in ("distinct", "export_state") if node.get(word)]
    further += ["filter"] if node.get("filter") else []
    further += ["order by"] if (node.get("order_bys") or {}).get("orders") else []
    if further:
        raise SpecError(f"{name}() with {further[0].upper()} is not taken; {_WHAT_IS_TAKEN}")


def _why(name: str) -> str:
    query = "SELECT DISTINCT function_type, stability FROM duckdb_functions() WHERE function_name = ?"
    kinds = {word for row in _parser().execute(query, [name]).fetchall() for word in row}
    if "aggregate" in kinds:
        return " (it works over several rows, an expression sees one)"
    if name in ("unnest", "generate_series", "range", "flatten"):
        return " (it may change the number of rows)"
    if kinds & {"table", "table_macro", "pragma"}:
        return " (it reads from elsewhere than the row)"
    return " (it need not give the same in every run)" if kinds & {"VOLATILE", "CONSISTENT_WITHIN_QUERY"} else ""


def _what_it_is(text: str) -> str:
    """Why a text is not one expression: other statements in it, a list, or where the parser gave up."""
    if not text.strip():
        return f"it is empty; {_WHAT_IS_TAKEN}"
    reason = ""
    for frame in ("SELECT (\n{}\n)", "SELECT\n{}", "{}"):
        try:
            found = duckdb.extract_statements(frame.replace("{}", text))
        except duckdb.Error as error:
            reason = reason or next((line for line in str(error).splitlines() if line.strip()), "").rstrip(".")
            continue
        kinds = [str(statement.type).rsplit(".", 1)[-1] for statement in found]
        if kinds not in ([], ["SELECT"]):
            several = "the statement" if len(kinds) == 1 else "the statements"
            return f"got {several} {', '.join(kinds)}; {_WHAT_IS_TAKEN}"
    return f"{reason or 'got more than one expression, or a whole SELECT'}; {_WHAT_IS_TAKEN}"


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    """A database that only parses: it has no tables, no way out, and cannot be told otherwise."""
    return duckdb.connect(
        ":memory:", config={"enable_external_access": False, "lock_configuration": True, "threads": 1}
    )


def _parser() -> duckdb.DuckDBPyConnection:
    return _connection().cursor()
