"""The outcome: never guessed, but candidates are named, and which of two values is positive where that is plain."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from gdsfd.cohort.keys.spellings import equal_values, reads_as_missing
from gdsfd.errors import InputError, near_names, shown
from gdsfd.first_spec.column_facts import ColumnFacts
from gdsfd.first_spec.sample import ExportTable
from gdsfd.first_spec.sql_names import sql_name
from gdsfd.first_spec.words import folded

__all__ = ["OutcomeGuess", "find_outcome", "label_values", "outcome_candidates"]

_NAMES = (
    r"death|died|dead|mortal|expire|surviv|status|outcome|readmi|response|responder|verstorb|tod\b|deces|fallec|"
    r"exitus|progress|relapse|recurr|\bdx\b|disease|\btarget|\blabel|event|complication|boolean value"
)
_STRONG = r"death|died|mortal|expire|hospdead|surviv|readmi|response|verstorb|outcome|discharge status"
_NEVER = r"marital|teaching|order|description"
_POSITIVE = (
    "1 true t yes y ja j oui si sim pos positive present expired dead died deceased death verstorben tot decede case "
    "responder relapse event abnormal malignant sick"
)
_NEGATIVE = (
    "0 false f no n nein non neg negative absent alive survived living lebend vivant vivo control nonresponder "
    "non-responder none normal benign healthy"
)
_ALIVE = r"surviv|\balive\b|lebend|vivant|\bvivo"
_TRUE = ["1", "true", "t", "yes", "y", "ja", "j", "oui", "si", "sim"]
_MOST_LEVELS = 12


@dataclass
class OutcomeGuess:
    """What is predicted.

    Args:
        table: The table that holds the column.
        column: The column.
        name: The outcome's name.
        positive, negative, classes, missing: As in a spec.
        derive: SQL of what has to be derived, where whether a cell is filled is the outcome; else None.
        notes: Why.
    """

    table: ExportTable
    column: str
    name: str
    positive: list[str] = field(default_factory=list)
    negative: list[str] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    derive: str | None = None
    notes: list[str] = field(default_factory=list)

    def label(self, cell: str | None, number: int = 0) -> bool | None:
        """Whether a cell is positive, None = unlabelled.

        Args:
            cell: The cell.
            number: Of several classes the one that counts as positive.
        """
        if self.derive is not None:
            return cell is not None
        positive, negative = self.positive, self.negative
        if self.classes:
            positive, negative = [self.classes[number]], [*self.classes[:number], *self.classes[number + 1 :]]
        if cell is None:
            return None
        if any(equal_values(cell, value) for value in positive):
            return True
        return False if any(equal_values(cell, value) for value in negative) else None


def outcome_candidates(tables: Sequence[ExportTable], most: int = 8) -> list[str]:
    """Columns that could be the outcome, ``table.column``, the likeliest first.

    Args:
        tables: All tables.
        most: The most that are named.
    """
    return (_candidates(tables, True) or _candidates(tables, False))[:most]


def _used(table: ExportTable, tables: Sequence[ExportTable], but: str = "") -> int:
    """How many other tables have a column that differs in every row of this one: a table of patients has such a one."""
    return max(
        (
            sum(other.column(name) is not None for other in tables) - 1
            for name, facts in table.facts.items()
            if facts.unique and name != but
        ),
        default=-1,
    )


def _candidates(tables: Sequence[ExportTable], strict: bool) -> list[str]:
    found = []
    for table in tables:
        used = _used(table, tables)
        one_each = used > 0 or len(tables) == 1 or not strict
        for place, (name, facts) in enumerate(table.facts.items()):
            levels = facts.levels
            few = 2 <= len(levels) <= _MOST_LEVELS and facts.distinct <= 200
            if not (one_each and few) or facts.is_time or not facts.filled > 0.5 * facts.rows:
                continue
            score = 3.0 * bool(re.search(_NAMES, folded(name))) + 1.0 * (len(levels) == 2)
            score += 2.0 * bool(re.search(_STRONG, folded(name))) - 2.0 * bool(re.search(_NEVER, folded(name)))
            score += 0.1 * used
            score += 1.0 * _is_pair(list(levels)) + 1.5 * (place == len(table.columns) - 1)
            if score >= (1.5 if len(tables) == 1 else 2.0):
                found.append((-score, f"{table.name}.{name}"))
    return [name for _, name in sorted(found)]


def find_outcome(tables: Sequence[ExportTable], wanted: str) -> tuple[ExportTable, str]:
    """The column that a user means: ``column``, or ``table.column`` where several tables have it.

    Args:
        tables: All tables.
        wanted: What the user wrote.

    Raises:
        InputError: There is none, or several tables have it.
    """
    holders = [(table, column) for table in tables if (column := table.column(wanted)) is not None]
    for table in tables:
        start = f"{table.name}.".casefold()
        if wanted.casefold().startswith(start) and (column := table.column(wanted[len(start) :])) is not None:
            return table, column
    if len(holders) > 1:
        unique = [(table, column) for table, column in holders if _used(table, tables, column) > 0]
        holders = unique if len(unique) == 1 else holders
    if len(holders) > 1:
        raise InputError(
            f"--outcome {wanted}: {len(holders)} tables have such a column: "
            f"{shown([f'{table.name}.{column}' for table, column in holders])}; write it with its table"
        )
    if not holders:
        known = [name for table in tables for name in table.columns]
        raise InputError(
            f"--outcome {wanted}: no table has such a column.{near_names(wanted, known)} It could be one of "
            f"{shown(outcome_candidates(tables), 8)}"
        )
    return holders[0]


def label_values(
    table: ExportTable,
    column: str,
    positive: Sequence[str] = (),
    negative: Sequence[str] = (),
    classes: Sequence[str] = (),
    joined: bool = False,
) -> OutcomeGuess:
    """Which values of the outcome mean what.

    Args:
        table: The table that holds the column.
        column: The column.
        positive, negative, classes: What the user says; without it only plain pairs are understood.
        joined: Whether the column is put beside the rows of another table, and is blank where that has no such row.

    Raises:
        InputError: The user's values are not there, or it is not plain which value is positive.
    """
    facts = table.facts[column]
    name = re.sub(r"[.:/\\]+", "_", column)
    guess = OutcomeGuess(table, column, name)
    values = list(facts.levels)
    guess.missing = [value for value in values if reads_as_missing(value)]
    plain = [value for value in values if value not in guess.missing]
    if classes:
        guess.classes = _there(classes, plain, column, "--classes")
    elif positive:
        guess.positive = _there(positive, plain, column, "--positive")
        rest = [value for value in plain if not any(equal_values(value, one) for one in guess.positive)]
        guess.negative = _there(negative, plain, column, "--negative") if negative else rest
        if not guess.negative and (joined or facts.filled < facts.rows):
            _by_presence(guess, facts, joined)
    elif facts.is_time or facts.form == "duration":
        _by_presence(guess, facts, joined)
    else:
        _by_pair(guess, facts, plain)
    guess.notes += _counts(guess, facts)
    return guess


def _there(wanted: Sequence[str], values: Sequence[str], column: str, option: str) -> list[str]:
    known = []
    for value in wanted:
        found = [one for one in values if equal_values(one, value)]
        if not found:
            raise InputError(f"{option} {value}: column {column!r} has no such value.{near_names(value, values)}")
        known += found
    return known


def _by_presence(guess: OutcomeGuess, facts: ColumnFacts, joined: bool) -> None:
    """Whether the cell is filled: a date of death."""
    if facts.filled == facts.rows and not joined:
        raise InputError(
            f"--outcome {guess.column}: every row of {guess.table.name} has a value and none is another class; name "
            f"a column "
            "that differs, or, where only some patients stand in this table, the table of all patients with --cohort"
        )
    column = guess.column
    guess.name = f"{guess.name}_known"
    guess.positive, guess.negative, guess.missing = ["1"], ["0"], []
    guess.derive = f"CASE WHEN {sql_name(column)} IS NULL THEN 0 ELSE 1 END"
    guess.column = re.sub(r"\W+", "_", guess.name)
    guess.notes.append(f"positive where {column} is filled; a blank counts as negative, not as unknown")


def _is_pair(values: Sequence[str]) -> bool:
    return len(values) == 2 and _signs(values) in (["+", "-"], ["-", "+"])


def _signs(values: Sequence[str]) -> list[str]:
    return [
        "+" if _plain(value) in _POSITIVE.split() else "-" if _plain(value) in _NEGATIVE.split() else "?"
        for value in values
    ]


def _plain(value: str) -> str:
    return value.strip().casefold().removesuffix(".0")


def _by_pair(guess: OutcomeGuess, facts: ColumnFacts, values: list[str]) -> None:
    if not _is_pair(values):
        ways = "--positive VALUE (the others are then negative), or --classes for several classes"
        counted = ", ".join(f"{value!r} ({facts.levels[value]:,})" for value in values[:_MOST_LEVELS])
        raise InputError(
            f"--outcome {guess.column}: which of its values is positive? It has {counted or 'none'}; say {ways}"
        )
    order = _signs(values)
    guess.positive, guess.negative = [values[order.index("+")]], [values[order.index("-")]]
    guess.notes.append("which value is positive is told by the words")
    said = _plain(guess.positive[0])
    if re.search(_ALIVE, folded(guess.column)) and (said in _TRUE or re.search(_ALIVE, said)):
        guess.notes.append(
            f"positive is surviving, so risks will be chances to survive; --positive {guess.negative[0]} predicts death"
        )


def _counts(guess: OutcomeGuess, facts: ColumnFacts) -> list[str]:
    if guess.derive is not None:
        return [
            f"it is filled in {facts.filled:,} of the {facts.rows:,} rows of {guess.table.name} that were looked at"
        ]
    told = [f"{value}: {count:,}" for value, count in list(facts.levels.items())[:_MOST_LEVELS]]
    blank = facts.rows - facts.filled
    more = f"; blank: {blank:,}, unlabelled" if blank else ""
    return [f"its values in the rows looked at are {', '.join(told)}{more}"]
