"""What the values of a split column mean: ``Train``, ``validation`` and ``TEST`` are common names of three splits."""

from __future__ import annotations

import difflib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from gdsfd.cohort.keys.spellings import folded, reads_as_missing
from gdsfd.errors import InputError, shown

__all__ = ["SplitNames", "read_split_names"]

_COMMON = {
    "train": "train",
    "training": "train",
    "trainset": "train",
    "trainingset": "train",
    "tuning": "tuning",
    "tune": "tuning",
    "tuningset": "tuning",
    "validation": "tuning",
    "validationset": "tuning",
    "valid": "tuning",
    "val": "tuning",
    "valset": "tuning",
    "dev": "tuning",
    "devset": "tuning",
    "test": "test",
    "testing": "test",
    "testset": "test",
    "testingset": "test",
    "heldout": "test",  # as MEDS calls it
    "heldoutset": "test",
}
#: Names that mean training to some and tuning or testing to others.
_AMBIGUOUS = frozenset({"development", "derivation", "developmentset", "derivationset", "discovery"})
#: Names of the tuning set that in clinical writing also mean the test set.
_VALIDATION = frozenset({"validation", "validationset", "valid", "val", "valset"})
_ADVICE = (
    "write train, tuning and test, e.g. with cohort.derive = {{split = \"CASE {column} WHEN {example!r} THEN 'tuning' "
    'ELSE {column} END"}} and split.column = "split"'
)


@dataclass
class SplitNames:
    """Result of :func:`read_split_names`.

    Args:
        split: The split per patient; None = blank.
        notes: Which values were read as another name.
    """

    split: list[str | None]
    notes: list[str] = field(default_factory=list)


def read_split_names(column: str, values: Sequence[str | None], to_train_on: bool = True) -> SplitNames:
    """Reads common names of train, tuning and test; other values stay, as evaluation sets of their own.

    Args:
        column: The column's name, for messages.
        values: Its values; None = blank; [N].
        to_train_on: Whether there must be training patients; without, ``validation`` is no tuning set of anything.

    Raises:
        InputError: A name that may mean two splits, two names for one split, a word for "missing", a typing error of a
            usual name, or evaluation sets that differ only in how they are written.
    """
    counts = Counter(value for value in values if value is not None)
    where = f"split.column {column!r}"
    _check_words(where, column, counts)
    meant = {value: _COMMON.get(folded(value), value) for value in counts}
    if not to_train_on:
        meant = {value: value if folded(value) in _VALIDATION else name for value, name in meant.items()}
    elif not set(meant.values()) - {"train", "tuning"}:
        unclear = [value for value in counts if folded(value) in _VALIDATION]
        if unclear and "train" in meant.values():
            raise InputError(
                f"{where}: beside training patients there are only {_counted(unclear, counts)}, which may be meant for "
                "tuning (choosing the model) or for testing (judging it); "
                + _ADVICE.format(column=column, example=unclear[0])
            )
    words: dict[str, set[str]] = defaultdict(set)
    for value, name in meant.items():
        words[name].add(folded(value))
    for name, own in words.items():
        if len(own) > 1 and name == "tuning":
            both = [value for value in counts if meant[value] == name]
            raise InputError(
                f"{where}: {_counted(both, counts)} all are names of the tuning set; "
                + _ADVICE.format(column=column, example=both[0])
            )
    renamed = sorted((value, name) for value, name in meant.items() if value != name)
    notes = [f"{where}: {shown([value])} ({counts[value]:,} patients) is read as {name!r}" for value, name in renamed]
    return SplitNames([None if value is None else meant[value] for value in values], notes)


def _check_words(where: str, column: str, counts: Counter[str]) -> None:
    """Refuses values that are no names of splits, or not clearly of one."""
    missing = [value for value in counts if reads_as_missing(value)]
    if missing:
        raise InputError(
            f"{where}: {_counted(missing, counts)} reads like a missing value, not like a split. Blank it to leave "
            f'these patients out, e.g. cohort.derive = {{split = "nullif({column}, {missing[0]!r})"}}, or filter them '
            "with cohort.where"
        )
    ambiguous = [value for value in counts if folded(value) in _AMBIGUOUS]
    if ambiguous:
        raise InputError(
            f"{where}: {_counted(ambiguous, counts)} means training to some and tuning to others; "
            + _ADVICE.format(column=column, example=ambiguous[0])
        )
    for value in counts:
        near = difflib.get_close_matches(folded(value), ["training", "train", "tuning", "validation"], 1, cutoff=0.8)
        if near and folded(value) not in _COMMON and folded(value).isalpha():
            raise InputError(
                f"{where}: {_counted([value], counts)} looks like a typing error of {near[0]!r}; correct it, or give "
                "the evaluation set another name"
            )
    alike: dict[str, list[str]] = defaultdict(list)
    for value in counts:
        alike[folded(value)].append(value)
    for name, own in alike.items():
        if len(own) > 1 and name not in _COMMON:
            raise InputError(f"{where}: {_counted(own, counts)} differ only in how they are written; write one of them")


def _counted(values: Sequence[str], counts: Counter[str]) -> str:
    return ", ".join(f"{shown([value])} ({counts[value]:,} patients)" for value in values)
