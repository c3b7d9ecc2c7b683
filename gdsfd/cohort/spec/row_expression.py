"""The SQL that users write, ``where`` and ``derive``, admitted only as one scalar expression over one row.

Specs are shared between people who do not know each other, so their SQL must not be a program. DuckDB's own parser says
what a text is (``json_serialize_sql``, which runs nothing): a second parser might see the text otherwise than the
database that runs it. Every part of the tree must then be of a kind that is known to be harmless; whatever is not known
is refused by name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import duckdb

from gdsfd.cohort.spec.expression_tree import WHAT_IS_TAKEN, nodes, parser, statements
from gdsfd.cohort.spec.row_functions import ALLOWED_FUNCTIONS, ALLOWED_OPERATORS, ALLOWED_TYPES
from gdsfd.cohort.spec.text_conditions import CellTest, Comparison, cell_test, comparison
from gdsfd.errors import SpecError, near_names

__all__ = ["RAW_SUFFIX", "RowExpression", "row_expression"]

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
    for node in nodes(tree):
        _check(node)
        word_test = comparison(node, unequal=id(node) in negated)
        if word_test is not None:
            compared[word_test] = None
        elif test := cell_test(node, unequal=id(node) in negated):
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
    nots = (node for node in nodes(tree) if node.get("type") == "OPERATOR_NOT")
    return {id(child) for node in nots for child in node.get("children", [])}


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
    found = statements(frame.replace("{}", text))
    empty = statements(frame.replace("{}", "1"))
    if len(found) != 1:
        return None
    chosen = found[0]["node"].pop("select_list", [])
    empty[0]["node"].pop("select_list")
    found[0].pop("named_param_map", None)  # a parameter is refused by name, below
    empty[0].pop("named_param_map", None)
    return chosen[0] if found == empty and len(chosen) == 1 and not chosen[0].get("alias") else None


def _check(node: dict[str, Any]) -> None:
    kind = node["class"]
    if kind == "FUNCTION":
        _check_function(node)
    elif kind == "OPERATOR":
        if node["type"] not in _OPERATORS:
            raise SpecError(f"{node['type'].lower().replace('_', ' ')} is not taken; {WHAT_IS_TAKEN}")
    elif kind not in _HARMLESS:
        words = _WORDS.get(kind, kind.lower())
        if kind == "WINDOW":
            words += f" ({node.get('function_name', '')})"
        raise SpecError(f"{words} is not taken; {WHAT_IS_TAKEN}")
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
        raise SpecError(f"{name}() with {further[0].upper()} is not taken; {WHAT_IS_TAKEN}")


def _why(name: str) -> str:
    query = "SELECT DISTINCT function_type, stability FROM duckdb_functions() WHERE function_name = ?"
    kinds = {word for row in parser().execute(query, [name]).fetchall() for word in row}
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
        return f"it is empty; {WHAT_IS_TAKEN}"
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
            return f"got {several} {', '.join(kinds)}; {WHAT_IS_TAKEN}"
    return f"{reason or 'got more than one expression, or a whole SELECT'}; {WHAT_IS_TAKEN}"
