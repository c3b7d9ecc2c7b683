"""Labels from the cohort's outcome columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.keys.spellings import differs_in_spelling, equal_values, parse_scalar
from gdsfd.cohort.patients.outcome_values import OutcomeValues, check_values, value_findings, value_rows
from gdsfd.cohort.receipt.receipt import Finding
from gdsfd.cohort.schema import OutcomeFields
from gdsfd.cohort.spec import OutcomeSpec
from gdsfd.errors import InputError, SchemaError, cell_text, near_names, shown

if TYPE_CHECKING:
    from gdsfd.cohort.patients.follow_up import FollowUp

__all__ = ["Labels", "check_classes", "check_same_order", "other_words", "read_labels", "strata_of", "values_of"]

_OR = " or "  #: between the values of one class


@dataclass
class Labels:
    """The labels of all outcomes.

    Args:
        y: As :class:`~gdsfd.cohort.cohort.Cohort` holds it.
        fields: The outcomes' descriptions.
        notes: On patients without a label.
        findings: Warnings of values that nobody declared.
        values: The receipt's table ``outcome_values`` (:func:`~gdsfd.cohort.patients.outcome_values.value_rows`).
        follow_up: Times and events of a survival outcome (:mod:`gdsfd.cohort.patients.survival_labels`); else None.
    """

    y: NDArray[np.float32] | NDArray[np.int64]
    fields: tuple[OutcomeFields, ...]
    notes: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    values: list[dict[str, Any]] = field(default_factory=list)
    follow_up: FollowUp | None = None


def read_labels(
    outcomes: Sequence[OutcomeSpec],
    columns: Mapping[str, Sequence[str | None]],
    ids: Sequence[str],
    label: str = "the cohort",
    fitted: Sequence[OutcomeFields] | None = None,
) -> Labels:
    """Labels of all outcomes.

    Args:
        outcomes: The spec's outcomes.
        columns: The cells of their columns as text, None = blank; each [N].
        ids: The patients' ids, for messages; [N].
        label: The cohort's source, for messages.
        fitted: The outcomes of the fitted schema that new patients are read with.

    Raises:
        InputError: A value that nobody declared and that cannot be what it would count as
            (:func:`~gdsfd.cohort.patients.outcome_values.check_values`).
    """
    multiclass = bool(outcomes[0].classes)
    y: NDArray[Any] = np.full(len(ids), -1) if multiclass else np.full((len(ids), len(outcomes)), np.nan, np.float32)
    found = Labels(y, ())
    for position, outcome in enumerate(outcomes):
        cells = columns[outcome.column]
        values = values_of(outcome, cells, ids, label)
        check_values(values)
        codes = np.array([-1 if cell is None else values.class_of[cell] for cell in cells], dtype=np.int64)
        if multiclass:
            found.y = codes
        else:
            y[codes >= 0, position] = codes[codes >= 0]
        found.fields += (OutcomeFields(outcome.name, outcome.column, values.classes, multiclass),)
        found.notes += _unlabelled(values)
        found.findings += value_findings(values, None if fitted is None else fitted[position].classes)
        found.values += value_rows(values)
    found.findings += [] if multiclass else _twice(found)
    return found


def _twice(found: Labels) -> list[Finding]:
    """A warning for each outcome that is an earlier one of every patient: a column was given twice."""
    told: list[Finding] = []
    seen: dict[bytes, str] = {}
    for name, labels in zip((each.name for each in found.fields), found.y.T):
        key = np.nan_to_num(labels, nan=-1.0).tobytes()
        if key in seen and (labels >= 0).any():
            text = f"the labels are those of {seen[key]!r} for every patient: was one column given twice?"
            told.append(Finding("labels", name, text, 1.0))
        seen.setdefault(key, name)
    return told


def check_classes(
    y: NDArray[np.float32] | NDArray[np.int64],
    split: Sequence[str],
    fields: Sequence[OutcomeFields],
    label: str,
    columns: Mapping[str, Sequence[str | None]] | None = None,
) -> None:
    """Raises an InputError where a class of an outcome has no patient, among all labelled ones or in train.

    Args:
        y: Labels.
        split: Split per patient.
        fields: The outcomes.
        label: The cohort's source, for the message.
        columns: The outcomes' cells as text, for the message.
    """
    train = np.asarray(split, dtype=object) == "train"
    for position, outcome in enumerate(fields):
        values = y if y.ndim == 1 else y[:, position]
        labelled = values >= 0  # NaN and -1 alike are not
        counts = Counter(cell for cell in (columns or {}).get(outcome.column, ()) if cell is not None)
        common = [cell for cell, _ in counts.most_common()]
        for where, rows in (("", labelled), (" in train", labelled & train)):
            found = np.unique(values[rows]).astype(int)
            if len(found) == len(outcome.classes):
                continue
            absent = [name for number, name in enumerate(outcome.classes) if number not in found]
            seen = (
                f"only {shown([outcome.classes[number] for number in found], 12)} ({int(rows.sum())} patients)"
                if len(found)
                else "no labelled patient"
            )
            near = near_names(absent[0], common) if not where else ""
            raise InputError(
                f"outcome {outcome.name!r} (column {outcome.column!r} of {label}) has {seen}{where}; expected each of "
                f"{shown(outcome.classes, 12)}, nobody has {shown(absent)}."
                + (near if "Did you mean" in near else "")
                + (f" The column's values are {shown(common)}." if common else "")
                + _what_to_do(outcome, bool(where))
            )


def _what_to_do(outcome: OutcomeFields, in_train: bool) -> str:
    declared = "'classes'" if outcome.multiclass else "'positive', 'negative'"
    rare = " A class too rare to be learned can be left out of classes, and is then unlabelled." if in_train else ""
    return f" Check {declared}, 'where' and the split." + (rare if outcome.multiclass else "")


def check_same_order(outcomes: Sequence[OutcomeFields], fitted: Sequence[OutcomeFields]) -> None:
    """Raises a SchemaError where a spec has the classes of a fitted outcome at other places, e.g. positive as negative.

    Another spelling of a class (``alive`` for ``Alive``, ``no`` for ``0``) is that class, and so is one of several
    values of it (``Expired`` of ``Expired or Hospice``). Classes under other words are taken as meant, as another
    hospital may write ``dead`` for ``Expired``; :func:`other_words` tells of them.

    Args:
        outcomes: As the spec has them.
        fitted: As the fitted schema has them.
    """
    for now, before in zip(outcomes, fitted):
        moved = len(now.classes) != len(before.classes) or any(
            not _shares_a_value(name, before.classes[place])
            and any(_shares_a_value(name, other) for other in before.classes)
            for place, name in enumerate(now.classes)
        )
        if moved:
            raise SchemaError(
                f"outcome {now.name!r}: expected its classes in the order of the fitted schema, "
                f"{shown(before.classes)}, got {shown(now.classes)}; "
                "the model's probabilities would be read as those of another class. Write them in that order, also a "
                "class that nobody has here"
            )


def other_words(
    outcome: OutcomeSpec, now: OutcomeFields, before: OutcomeFields, cells: Sequence[str | None]
) -> list[Finding]:
    """A warning where new patients' classes have other words than the model's: they may be other classes.

    Args:
        outcome: As the spec has it.
        now: As it is described by the new patients' values.
        before: As the fitted schema has it.
        cells: The values; none: nobody is labelled, and nothing is said.
    """
    if all(cell is None for cell in cells):
        return []
    # with positive alone the word of the negative class is whatever else occurs, which has a warning of its own
    first = 0 if outcome.classes or outcome.negative else 1
    pairs = [
        f"{cell_text(name)} as {cell_text(known)}"
        for name, known in [*zip(now.classes, before.classes)][first:]
        if not _same_values(name, known) and known != f"not {before.classes[-1]}"
    ]
    if not pairs:
        return []
    text = (
        f"classes have other words than the model's and are read as its own: {', '.join(pairs[:5])}. If they are not "
        "the same, all figures are about another outcome"
    )
    return [Finding("labels", outcome.name, text, float(len(pairs)))]


def _same_value(text: str, other: str) -> bool:
    text, other = _as_whole(text), _as_whole(other)
    return equal_values(text, other) or equal_values(other, text) or differs_in_spelling(text, other)


def _as_whole(text: str) -> str:
    """``1.0`` as ``1``, which may mean ``yes``."""
    number = parse_scalar(text)
    return str(int(number)) if number is not None and number.is_integer() else text


def _values(name: str) -> list[str]:
    """The values that a class's name was made of (:func:`_name`)."""
    return name.split(_OR)


def _shares_a_value(name: str, other: str) -> bool:
    return _same_value(name, other) or any(_same_value(one, two) for one in _values(name) for two in _values(other))


def _same_values(name: str, other: str) -> bool:
    def within(these: list[str], those: list[str]) -> bool:
        return all(any(_same_value(one, two) for two in those) for one in these)

    return _same_value(name, other) or (within(_values(name), _values(other)) and within(_values(other), _values(name)))


def strata_of(y: NDArray[np.float32] | NDArray[np.int64]) -> NDArray[np.int64]:
    """One number per patient that says which labels it has, for stratifying; the rarer the larger.

    Args:
        y: Labels; float [N, outcomes] or int64 [N].
    """
    matrix = np.nan_to_num(np.asarray(y, dtype=np.float64).reshape(len(y), -1), nan=-1.0)
    _, code, counts = np.unique(matrix, axis=0, return_inverse=True, return_counts=True)
    rank = np.empty(len(counts), dtype=np.int64)
    rank[np.lexsort((np.arange(len(counts)), -counts))] = np.arange(len(counts))
    return rank[code.reshape(-1)]


def values_of(outcome: OutcomeSpec, cells: Sequence[str | None], ids: Sequence[str], label: str) -> OutcomeValues:
    """What the column holds, and the class of each value. With ``positive`` alone every other value is negative."""
    classes: list[list[Any]] = [[value] for value in outcome.classes] or [
        list(outcome.negative),
        list(outcome.positive),
    ]
    rest = -1 if outcome.classes or outcome.negative else 0
    counts = Counter(cell for cell in cells if cell is not None)
    missing = {cell for cell in counts if any(equal_values(cell, value) for value in outcome.missing)}
    class_of, declared = dict.fromkeys(missing, -1), set(missing)
    for cell in counts.keys() - missing:
        code = next((k for k, own in enumerate(classes) if any(equal_values(cell, value) for value in own)), None)
        class_of[cell] = rest if code is None else code
        if code is not None:
            declared.add(cell)
    names = tuple(_name(own) for own in classes)
    if rest == 0:
        others = [cell for cell in counts if cell not in declared]
        names = (others[0] if len(others) == 1 else f"not {names[1]}", names[1])
    return OutcomeValues(
        outcome=outcome,
        label=label,
        counts=counts,
        blank=sum(cell is None for cell in cells),
        class_of=class_of,
        classes=names,
        declared=frozenset(declared),
        example=lambda value: next(own for own, cell in zip(ids, cells) if cell == value),
    )


def _unlabelled(values: OutcomeValues) -> list[str]:
    notes = []
    if values.blank:
        notes.append(f"outcome {values.outcome.name!r}: {values.blank} patients have no value and are unlabelled")
    neither = [(cell, count) for cell, count in values.counts.items() if values.class_of[cell] < 0]
    for cell, count in sorted(neither, key=lambda pair: (-pair[1], pair[0]))[:5]:
        notes.append(f"outcome {values.outcome.name!r}: {count} patients with {cell_text(cell)} are unlabelled")
    return notes


def _name(values: Sequence[object]) -> str:
    return _OR.join(str(value) for value in values)
