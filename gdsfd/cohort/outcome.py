"""Labels from the cohort's outcome columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.fields import OutcomeFields
from gdsfd.cohort.spec import OutcomeSpec
from gdsfd.cohort.values import parse_scalar
from gdsfd.errors import InputError, SchemaError, cell_text, shown

__all__ = ["check_classes", "check_same_order", "equal_values", "read_labels", "strata_of"]

_TRUE, _FALSE = ("true", "t", "yes", "y"), ("false", "f", "no", "n")


def equal_values(text: str, declared: object) -> bool:
    """Whether a cell means a declared value: as text, as a number, or as a truth value.

    Example:
        >>> equal_values("1.0", 1), equal_values("Expired", "Expired"), equal_values("True", True)
        (True, True, True)
    """
    if isinstance(declared, bool):
        words = _TRUE if declared else _FALSE
        return text.lower() in words or parse_scalar(text) == float(declared)
    if text == str(declared).strip():
        return True
    if text.lower() in ("true", "false"):  # how a column of truth values reads as text; 1 and 0 mean them too
        return str(declared).lower() == text.lower() or parse_scalar(declared) == float(text.lower() == "true")
    number = parse_scalar(text)
    return number is not None and number == parse_scalar(declared)


def read_labels(
    outcomes: Sequence[OutcomeSpec], columns: dict[str, list[str | None]], rows: int
) -> tuple[NDArray[np.float32] | NDArray[np.int64], tuple[OutcomeFields, ...], list[str]]:
    """Labels of all outcomes.

    Args:
        outcomes: The spec's outcomes.
        columns: The cells of their columns as text, None = blank; each [N].
        rows: Number of patients N.

    Returns:
        ``y`` as :class:`~gdsfd.cohort.cohort.Cohort` holds it, the outcomes' descriptions, and notes on values that
        are neither class.
    """
    notes: list[str] = []
    fields = []
    if outcomes[0].classes:
        outcome = outcomes[0]
        labels = [str(value) for value in outcome.classes]
        fields.append(OutcomeFields(outcome.name, outcome.column, tuple(labels), multiclass=True))
        codes = _codes(columns[outcome.column], [[value] for value in outcome.classes], outcome, notes)
        return codes, tuple(fields), notes
    y = np.full((rows, len(outcomes)), np.nan, dtype=np.float32)
    for position, outcome in enumerate(outcomes):
        cells = columns[outcome.column]
        codes = _codes(cells, [list(outcome.negative) or None, list(outcome.positive)], outcome, notes)
        y[codes >= 0, position] = codes[codes >= 0]
        positive = _name(outcome.positive)
        negative = _name(outcome.negative) if outcome.negative else _name_of_others(cells, outcome)
        fields.append(OutcomeFields(outcome.name, outcome.column, (negative, positive)))
    return y, tuple(fields), notes


def check_classes(
    y: NDArray[np.float32] | NDArray[np.int64],
    split: Sequence[str],
    fields: Sequence[OutcomeFields],
    label: str,
    columns: Mapping[str, Sequence[str | None]] | None = None,
) -> None:
    """Raises an InputError where an outcome has one class only, among all labelled patients or in train.

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
        declared = "'classes'" if outcome.multiclass else "'positive', 'negative'"
        labelled = values >= 0 if outcome.multiclass else ~np.isnan(values)
        for where, rows in (("", labelled), (" in train", labelled & train)):
            found = np.unique(values[rows])
            if len(found) < 2:
                seen = (
                    f"only {cell_text(outcome.classes[int(found[0])])} ({int(rows.sum())} patients)"
                    if len(found)
                    else "no labelled patient"
                )
                counts = Counter(cell for cell in (columns or {}).get(outcome.column, ()) if cell is not None)
                common = [cell for cell, _ in counts.most_common()]
                raise InputError(
                    f"outcome {outcome.name!r} (column {outcome.column!r} of {label}) has {seen}{where}; expected at "
                    "least two "
                    f"classes among {shown(outcome.classes)}."
                    + (f" The column's values are {shown(common)}." if common else "")
                    + f" Check {declared}, 'where' and the split"
                )


def check_same_order(outcomes: Sequence[OutcomeFields], fitted: Sequence[OutcomeFields]) -> None:
    """Raises a SchemaError where a spec has the classes of a fitted outcome at other places, e.g. positive as negative.

    Classes under other words are taken as meant: another hospital may write ``dead`` for ``Expired``.

    Args:
        outcomes: As the spec has them.
        fitted: As the fitted schema has them.
    """
    for now, before in zip(outcomes, fitted):
        moved = [
            name
            for place, name in enumerate(now.classes)
            if name in before.classes[:place] + before.classes[place + 1 :]
        ]
        if moved or len(now.classes) != len(before.classes):
            raise SchemaError(
                f"outcome {now.name!r}: expected its classes in the order of the fitted schema, "
                f"{shown(before.classes)}, got {shown(now.classes)}; "
                "the model's probabilities would be read as those of another class"
            )


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


def _codes(
    cells: list[str | None], classes: Sequence[Sequence[object] | None], outcome: OutcomeSpec, notes: list[str]
) -> NDArray[np.int64]:
    """Position of each cell's class, -1 where it has none. A class of None takes every value no other class has."""
    rest = next((position for position, values in enumerate(classes) if values is None), -1)

    def code_of(cell: str) -> int:
        if any(equal_values(cell, value) for value in outcome.missing):
            return -1
        return next(
            (k for k, values in enumerate(classes) if values and any(equal_values(cell, v) for v in values)), rest
        )

    known = {cell: code_of(cell) for cell in set(cells) if cell is not None}
    codes = np.array([-1 if cell is None else known[cell] for cell in cells], dtype=np.int64)
    blank = sum(cell is None for cell in cells)
    if blank:
        notes.append(f"outcome {outcome.name!r}: {blank} patients have no value and are unlabelled")
    neither = Counter(cell for cell in cells if cell is not None and known[cell] < 0)
    for cell, count in sorted(neither.items(), key=lambda pair: (-pair[1], pair[0]))[:5]:
        notes.append(f"outcome {outcome.name!r}: {count} patients with {cell_text(cell)} are unlabelled")
    return codes


def _name(values: Sequence[object]) -> str:
    return " or ".join(str(value) for value in values)


def _name_of_others(cells: list[str | None], outcome: OutcomeSpec) -> str:
    """The single other value where there is one, else "not" the positive one."""
    declared = [*outcome.positive, *outcome.missing]
    others = [
        cell for cell in set(cells) if cell is not None and not any(equal_values(cell, value) for value in declared)
    ]
    return others[0] if len(others) == 1 else f"not {_name(outcome.positive)}"
