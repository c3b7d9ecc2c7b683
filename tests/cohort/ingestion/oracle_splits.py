"""Who trains, tunes and tests, counted anew: the hash of seed and subject, shares of each class, column and time.

The published order must stay: a spec and its seed give the same split in every version of the package.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pandas as pd

from tests.cohort.ingestion.oracle_cells import NUMBER, Refused

__all__ = ["split_of"]

_WORDS = {"training": "train", "val": "tuning", "testing": "test"}


def split_of(
    spec: dict[str, Any],
    subject: Sequence[str],
    labels: Sequence[tuple[int | None, ...]],
    environment: pd.Series,
    column: pd.Series | None,
) -> list[str | None]:
    """The split of each patient, None = left out.

    Args:
        spec: The spec's split.
        subject: The person of each patient.
        labels: The classes of each patient.
        environment: The environment of each patient.
        column: The values of the spec's column.
    """
    counts = Counter(tuple(-1 if code is None else code for code in row) for row in labels)
    ranks = {row: rank for rank, row in enumerate(sorted(counts, key=lambda row: (-counts[row], row)))}
    stratum: dict[str, int] = {}
    for who, row in zip(subject, labels):
        stratum[who] = max(stratum.get(who, -1), ranks[tuple(-1 if code is None else code for code in row)])
    order = sorted(stratum, key=lambda who: (stratum[who], _hash(spec["seed"], who), who))
    if spec["kind"] == "column":
        return _by_column(spec, subject, column, order, stratum)
    if spec["kind"] == "time":
        return _by_time(spec, subject, column, order)
    if spec["kind"] == "environment":
        held = environment.isin(spec["holdout"]).tolist()
        if not any(held):
            raise Refused("nobody left", "no patient is in environment", "absent class")
        away = {who for who, test in zip(subject, held) if test}
        if away == set(subject):
            raise Refused("nobody left", "nobody is left to train on", "absent class")
        rest = _shared([who for who in order if who not in away], stratum, {"train": 0.7, "tuning": 0.1})
        return ["test" if test else rest.get(who) for who, test in zip(subject, held)]
    if "folds" in spec:
        if len(order) < spec["folds"]:
            raise Refused("nobody left", "expected at most as many folds as there are subjects", "absent class")
        test = {who for place, who in enumerate(order) if place % spec["folds"] == spec["fold"]}
        rest = _shared([who for who in order if who not in test], stratum, {"train": 0.7, "tuning": 0.1})
        return ["test" if who in test else rest[who] for who in subject]
    shares = dict(zip(("train", "tuning", "test"), spec["fractions"]))
    given = _shared(order, stratum, shares)
    return [given[who] for who in subject]


def _hash(seed: int, who: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"{seed}|{who}".encode(), digest_size=8).digest(), "big")


def _shared(order: Sequence[str], stratum: dict[str, int], shares: dict[str, float]) -> dict[str, str]:
    """Each class in turn is shared out; what rounding leaves over is carried to the next."""
    total, carried = sum(shares.values()), dict.fromkeys(shares, 0.0)
    given: dict[str, str] = {}
    for value in sorted({stratum[who] for who in order}):
        members = [who for who in order if stratum[who] == value]
        wanted = {name: share / total * len(members) + carried[name] for name, share in shares.items()}
        counts = {name: max(math.floor(wish + 1e-9), 0) for name, wish in wanted.items()}
        while sum(counts.values()) > len(members):
            counts[max(counts, key=lambda name: counts[name] - wanted[name])] -= 1
        while sum(counts.values()) < len(members):
            counts[max(counts, key=lambda name: wanted[name] - counts[name])] += 1
        carried = {name: wanted[name] - counts[name] for name in shares}
        names = [name for name in shares for _ in range(counts[name])]
        given.update(zip(members, names))
    return given


def _by_column(
    spec: dict[str, Any], subject: Sequence[str], column: Any, order: Sequence[str], stratum: dict[str, int]
) -> list[str | None]:
    if any(value == "development" for value in column):
        raise Refused("unclear split name", "means training to some")
    split = [None if value is None else _WORDS.get(value.lower(), value.lower()) for value in column]
    split = ["north hospital" if value == "north hospital" else value for value in split]
    named = {(who, name) for who, name in zip(subject, split) if name is not None}
    if len(named) > len({who for who, _ in named}):
        raise Refused("subject in two splits", "are in more than one split")
    if "train" not in split:
        raise Refused("absent class", "no patient is in 'train'")
    if not {name for name in split if name} - {"train", "tuning"} and "val" in column.tolist():
        raise Refused("absent class", "which may be meant for tuning")
    if "tuning" not in split:
        training = {who for who, name in zip(subject, split) if name == "train"}
        drawn = _shared([who for who in order if who in training], stratum, {"train": 0.9, "tuning": 0.1})
        split = [drawn[who] if name == "train" else name for who, name in zip(subject, split)]
    return split


def _by_time(spec: dict[str, Any], subject: Sequence[str], column: Any, order: Sequence[str]) -> list[str | None]:
    if any(value is None for value in column):
        raise Refused("unreadable split time", "have a blank time")
    numbers = [NUMBER.fullmatch(value) is not None for value in column]
    if any(numbers) != all(numbers) or any(sign in value for value in column for sign in ("soon", "/")):
        raise Refused("unreadable split time", "cannot be read")
    times = [float(value) if all(numbers) else pd.Timestamp(value).timestamp() for value in column]
    first: dict[str, float] = {}
    for who, time in zip(subject, times):
        first[who] = min(time, first.get(who, math.inf))
    by_time = sorted(order, key=lambda who: first[who])  # of one time: as chance has ordered them
    given = _shared(by_time, dict.fromkeys(by_time, 0), {"train": 0.7, "tuning": 0.1, "test": 0.2})
    return [given[who] for who in subject]
