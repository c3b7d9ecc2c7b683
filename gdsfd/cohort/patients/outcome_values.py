"""Which values an outcome column holds, what each counts as, and which of them nobody meant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gdsfd.cohort.keys.spellings import differs_in_spelling, equal_values, parse_scalar, reads_as_missing
from gdsfd.cohort.receipt.receipt import Finding
from gdsfd.cohort.spec import OutcomeSpec
from gdsfd.errors import InputError, cell_text, cut_text, near_names, shown

__all__ = ["OutcomeValues", "check_values", "declared_nowhere", "sentinels", "value_findings", "value_rows"]

MAX_LISTED = 50  #: values of an outcome that the receipt lists one by one; the rarer ones are pooled
#: Numbers that questionnaires and exports write for "no answer" above the answers' own range.
_HIGH_SENTINELS = frozenset(float(f"{digit}" * length) for digit in "789" for length in (1, 2, 3, 4, 5))


@dataclass(frozen=True)
class OutcomeValues:
    """The different values of one outcome column.

    Args:
        outcome: The spec's entry.
        label: The cohort's source, for messages.
        counts: Patients per value, blanks left out.
        blank: Patients without a value.
        class_of: Position of each value's class, -1 = unlabelled.
        classes: The classes' names.
        declared: Values that the spec names (under ``positive``, ``negative``, ``classes`` or ``missing``).
        example: An id of a patient with a value.
    """

    outcome: OutcomeSpec
    label: str
    counts: Counter[str]
    blank: int
    class_of: dict[str, int]
    classes: tuple[str, ...]
    declared: frozenset[str]
    example: Callable[[str], str]

    @property
    def undeclared(self) -> list[str]:
        """Values that the spec does not name, the most frequent first."""
        found = [value for value in self.counts if value not in self.declared]
        return sorted(found, key=lambda value: (-self.counts[value], value))

    @property
    def takes_the_rest(self) -> bool:
        """Whether undeclared values are negative (``positive`` alone) rather than unlabelled."""
        return bool(self.outcome.positive) and not self.outcome.negative

    def listed(self, values: Sequence[str], limit: int = 5) -> str:
        """Values with their patients, for messages."""
        words = [f"{cell_text(value)} ({self.counts[value]:,} patients)" for value in values[:limit]]
        more = f" and {len(values) - limit:,} more" if len(values) > limit else ""
        return ", ".join(words) + more


def check_values(values: OutcomeValues) -> None:
    """Refuses undeclared values that cannot be what they would count as.

    Args:
        values: What the column holds.

    Raises:
        InputError: A value differs from a declared one in its spelling only; or, with ``positive`` alone, it stands for
            a missing value.
    """
    outcome = values.outcome
    where = f"outcome {outcome.name!r} (column {outcome.column!r} of {values.label})"
    would = "negative" if values.takes_the_rest else "unlabelled"
    names = [*outcome.positive, *outcome.negative, *outcome.classes, *outcome.missing]
    pairs = [(value, name) for value in values.undeclared for name in names if differs_in_spelling(value, name)]
    if pairs:
        told = "; ".join(
            f"{cell_text(value)} ({values.counts[value]:,} patients, e.g. id {cell_text(values.example(value))}) "
            f"beside the declared {cell_text(name)}"
            for value, name in pairs[:5]
        )
        raise InputError(
            f"{where} has values that differ from a declared one only in how they are written: {told}. They would "
            f"count as {would}. Declare every spelling (positive = [...], negative = [...], classes or missing), or "
            "make the spellings alike with cohort.derive"
        )
    if not values.takes_the_rest:
        return
    missing = _reading_as_missing(values)
    if missing:
        rest = [value for value in values.undeclared if value not in missing]
        raise InputError(
            f"{where} holds {values.listed(missing)}, e.g. id {cell_text(values.example(missing[0]))}, which reads "
            "like a missing value and is not declared; with 'positive' alone it would count as negative. Say what it "
            f"means: missing = [{shown(missing)}] leaves these patients unlabelled, negative = "
            f"[{shown(rest or missing)}] "
            "names the values that are negative, or list it under positive"
        )


def _reading_as_missing(values: OutcomeValues) -> list[str]:
    """Undeclared values that stand for "no value"."""
    undeclared = values.undeclared
    signs = any(str(value).strip() == "+" for value in values.outcome.positive)
    words = [value for value in undeclared if reads_as_missing(value) and not (signs and value == "-")]
    numbers = {value: parse_scalar(value) for value in values.counts}
    if all(number is not None for value, number in numbers.items() if value not in words):
        found = sentinels({number for number in numbers.values() if number is not None and number == number})
        words += [value for value in undeclared if value not in words and numbers[value] in found]
    return words


def sentinels(numbers: set[float]) -> set[float]:
    """Numbers that stand apart from the others of a column and are used for "no answer": -9 beside 0 and 1.

    A negative number is one where there are two or more others, all of them zero or above; 9, 99, 888 and so on are
    where they lie two or more above the largest of the others. So -1 beside 1, and 9 on a scale of 0 to 10, are none.
    """
    below = {number for number in numbers if number < 0}
    above = numbers - below
    found = below if len(above) > 1 or min(below, default=0) < -1 else set()
    high: set[float] = set()
    rest = sorted(above)
    while len(rest) > 1 and rest[-1] in _HIGH_SENTINELS:
        high.add(rest.pop())
    return found | (high if high and min(high) - rest[-1] >= 2 else set())


def value_findings(values: OutcomeValues, fitted: tuple[str, ...] | None = None) -> Iterator[Finding]:
    """Warnings of values that nobody declared and of declared ones that nobody has.

    Args:
        values: What the column holds.
        fitted: The outcome's classes in the fitted schema that new patients are read with.
    """
    outcome, undeclared = values.outcome, values.undeclared
    near = [f"{cell_text(value)} is near {cell_text(name)}" for value in undeclared for name in _near(value, outcome)]
    looks = f" ({'; '.join(near[:3])})" if near else ""
    if values.takes_the_rest:
        different = {parse_scalar(value) if parse_scalar(value) is not None else value for value in undeclared}
        word = fitted[0] if fitted and not fitted[0].startswith("not ") else None
        other = [value for value in undeclared if word is not None and value != word]
        if len(different) > 1:
            yield Finding(
                "labels",
                outcome.name,
                f"{len(undeclared):,} different values count as negative, as 'positive' alone is declared: "
                f"{values.listed(undeclared)}{looks}. List those that are negative under negative; the others are then "
                "unlabelled",
                float(len(undeclared)),
            )
        elif other:
            yield Finding(
                "labels",
                outcome.name,
                f"{values.listed(other)} count as negative, which the model knows as {word!r}; if they are not the "
                "same, declare negative",
                1.0,
            )
        elif {parse_scalar(value) for value in values.counts} == {1.0, 2.0} and outcome.positive[0] in (1, "1"):
            yield Finding(
                "labels",
                outcome.name,
                f"{values.listed(undeclared)} count as negative beside the positive 1: programs that number levels "
                "from 1 (R, SPSS) write 1 for no and 2 for yes. Say negative = [2] if 1 is the outcome",
                1.0,
            )
    else:
        third = [value for value in undeclared if not reads_as_missing(value)]
        if third:
            yield Finding(
                "labels",
                outcome.name,
                f"values that are no declared class are unlabelled: {values.listed(third)}{looks}. Declare them, or "
                "list them under missing",
                float(sum(values.counts[value] for value in third)),
            )
    yield from declared_nowhere(values, fitted)


def declared_nowhere(values: OutcomeValues, fitted: tuple[str, ...] | None = None) -> Iterator[Finding]:
    """Warnings of declared values that no patient has; of new patients only when none of all classes' values is there.

    Args:
        values: What the column holds.
        fitted: As in :func:`value_findings`.
    """
    outcome = values.outcome
    known = list(values.counts)
    if fitted is not None:
        if known and not any(values.class_of[value] >= 0 and value in {*values.declared, *fitted} for value in known):
            text = (
                f"no patient has any of the declared values; the column's values are {shown(known)}. Check positive, "
                "negative and classes"
            )
            yield Finding("labels", outcome.name, text, 0.0)
        return
    for field in ("positive", "negative", "missing"):
        declared = getattr(outcome, field)
        absent = [name for name in declared if not any(equal_values(value, name) for value in known)]
        # a class that is absent as a whole is refused; a blank is missing whether it is declared or not
        absent = [name for name in absent if field != "missing" or str(name).strip()]
        if absent and (field == "missing" or len(absent) < len(declared)):
            near = near_names(str(absent[0]), known)
            text = f"{field} lists {shown(absent)}, which no patient has.{near if 'Did you mean' in near else ''}"
            yield Finding("labels", outcome.name, text, float(len(absent)))


def _near(value: str, outcome: OutcomeSpec) -> list[Any]:
    declared = [*outcome.positive, *outcome.negative, *outcome.classes]
    if len(value) < 4 or parse_scalar(value) is not None:
        return []
    return [name for name in declared if "Did you mean" in near_names(str(name), [value])][:1]


def value_rows(values: OutcomeValues) -> list[dict[str, Any]]:
    """Rows of the receipt's table ``outcome_values``: outcome, value (None = blank), patients, class (None =
    unlabelled), declared. The most frequent come first; beyond :data:`MAX_LISTED` one row pools ``pooled`` values.
    """
    ordered = sorted(values.counts, key=lambda value: (-values.counts[value], value))

    def row(value: str | None, patients: int, code: int, declared: bool) -> dict[str, Any]:
        return {
            "outcome": values.outcome.name,
            "value": value if value is None else cut_text(value),
            "patients": patients,
            "class": values.classes[code] if code >= 0 else None,
            "declared": declared,
        }

    rows = [
        row(value, values.counts[value], values.class_of[value], value in values.declared)
        for value in ordered[:MAX_LISTED]
    ]
    for code in sorted({values.class_of[value] for value in ordered[MAX_LISTED:]}):
        pooled = [value for value in ordered[MAX_LISTED:] if values.class_of[value] == code]
        rows.append({**row(None, sum(values.counts[value] for value in pooled), code, False), "pooled": len(pooled)})
    if values.blank:
        rows.append(row(None, values.blank, -1, True))
    return rows
