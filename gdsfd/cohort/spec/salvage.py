"""What is left of a spec once its faults are taken out, so that the rest of it can be looked at as well."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from gdsfd.cohort.spec.cohort_spec import CohortSpec
from gdsfd.errors import SpecError

__all__ = ["salvaged"]

_ROUNDS = 20  #: a fault may hide another behind it, as a wrong type hides what contradicts it
Place = tuple[int | str, ...]


def salvaged(fields: Mapping[str, Any]) -> tuple[CohortSpec | None, list[str]]:
    """Takes out of a spec what is wrong, and says what that was.

    A wrong key goes; where the part cannot do without it, the whole entry (``[[modality]]``, ``[[outcome]]``) goes.

    Args:
        fields: The spec's fields, as TOML has them.

    Returns:
        The spec of what is left, None where nothing sensible is; and the complaints about the whole.

    Example:
        >>> entry = {"name": "labs", "kind": "table", "source": "labs.csv", "id": "stay"}
        >>> spec, told = salvaged({
        ...     "cohort": {"source": "stays.csv", "id": "stay", "sbject": "person"},
        ...     "outcome": {"name": "death", "column": "died", "positive": 1},
        ...     "modality": [entry, {**entry, "name": "more", "kind": "tabel"}],
        ... })
        >>> [modality.name for modality in spec.modality], len(told)
        (['labs'], 2)
    """
    left: Any = copy.deepcopy(dict(fields))
    for part in ("modality", "outcome"):
        if isinstance(left.get(part), dict):
            left[part] = [left[part]]
    told: list[str] = []
    touched: list[Place] = []
    for _ in range(_ROUNDS):
        try:
            return CohortSpec(**left), told
        except SpecError as error:
            complaints = error.complaints or (((), str(error)),)
        told += [text for place, text in complaints if text not in told and not _follows(place, touched)]
        targets = {target for place, _ in complaints if (target := _target(left, place)) is not None}
        if any(_target(left, place) is None for place, _ in complaints):
            return None, told
        for target in sorted(targets, key=lambda place: [(type(part) is str, part) for part in place])[::-1]:
            if not any(target[: len(other)] == other for other in targets - {target}):  # goes with its entry
                del _at(left, target[:-1])[target[-1]]
        touched += [target for target in targets if isinstance(target[-1], str)]
    return None, told


def _follows(place: Place, touched: list[Place]) -> bool:
    """Whether a complaint is about what is missing because it was taken out."""
    return any(place[: len(before)] == before for before in touched)


def _target(left: Any, place: Place) -> Place | None:
    """What goes for a complaint about a place: its key, or the entry of a list that it belongs to; None for neither."""
    depth = 2 if len(place) > 1 and isinstance(place[1], int) else 1
    holder = _at(left, place[:depth])
    if isinstance(holder, dict) and len(place) > depth and place[depth] in holder:
        return place[: depth + 1]
    if depth == 2:
        return place[:2]
    return place[:1] if place and place[0] in left and place[0] not in ("cohort", "modality", "outcome") else None


def _at(left: Any, place: Place) -> Any:
    for part in place:
        try:
            left = left[part]
        except (KeyError, IndexError, TypeError):
            return None
    return left
