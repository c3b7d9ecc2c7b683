"""Environment and groups: which columns of the cohort say where a patient was, and who they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from gdsfd.errors import shown
from gdsfd.first_spec.column_facts import ColumnFacts
from gdsfd.first_spec.words import says

__all__ = ["RoleGuess", "guess_environment", "guess_groups"]

_MOST_LEVELS = 60
_PATIENTS_EACH = 20  #: in the middle environment


@dataclass(frozen=True)
class RoleGuess:
    """Columns and why.

    Args:
        columns: The columns; empty where there is none.
        why: Why these, and what else it could be.
    """

    columns: tuple[str, ...]
    why: str


def guess_environment(columns: Iterable[ColumnFacts], taken: Sequence[str], preferred: Sequence[str] = ()) -> RoleGuess:
    """The column that says where, or else when, a patient was treated.

    Args:
        columns: Those of the cohort table and of what is joined to it.
        taken: Columns that have another role.
        preferred: Columns that a known layout names, the best first.
    """
    usable = [facts for facts in columns if facts.name not in taken and _is_coarse(facts)]
    by_layout = [facts for name in preferred for facts in usable if facts.name.casefold() == name.casefold()]
    places = [facts for facts in usable if says(facts.name, "environment") and not says(facts.name, "group")]
    eras = [facts for facts in usable if says(facts.name, "era")]
    places = [facts for facts in places if not says(facts.name, "end") and not says(facts.name, "time")]
    ranked = [*by_layout, *sorted(places, key=_rank), *eras]
    if not ranked:
        return RoleGuess(
            (),
            "no column looks like a hospital, unit, region or era; name one if there is: what differs between sites "
            "is what a model must not lean on",
        )
    best = ranked[0]
    others = list(dict.fromkeys(facts.name for facts in ranked if facts.name != best.name))
    fine = [facts.name for facts in columns if says(facts.name, "environment") and facts.distinct > _MOST_LEVELS]
    fine = [name for name in fine if name not in taken]
    why = f"{best.distinct} places or times, e.g. {shown(list(best.levels), 3)}"
    why += f". It could also be {shown(others, 4)}" if others else ""
    return RoleGuess((best.name,), why + (f"; {shown(fine, 2)} has too many for their size" if fine else ""))


def _rank(facts: ColumnFacts) -> tuple[int, int]:
    import re

    from gdsfd.first_spec.words import folded

    name = folded(facts.name)
    order = (
        r"hospital(?!.*source)|klinik|clinic|facility|center|centre|site|zentrum|hopital",
        r"region|country|land",
        r"icu|unit|ward|care|station",
    )
    kind = next((k for k, pattern in enumerate(order) if re.search(pattern, name)), len(order))
    from_where = bool(re.search(r"source|admit|visit|stay|teaching|bed", name))
    return (kind + 4 * from_where, -facts.distinct)


def _is_coarse(facts: ColumnFacts) -> bool:
    levels = facts.levels
    if not 2 <= len(levels) <= _MOST_LEVELS or facts.distinct > 200 or facts.is_time or facts.filled < 0.5 * facts.rows:
        return False
    return float(np.median(list(levels.values()))) >= min(_PATIENTS_EACH, facts.rows / 12)


def guess_groups(columns: Iterable[ColumnFacts], taken: Sequence[str], preferred: Sequence[str] = ()) -> RoleGuess:
    """The columns of fairness attributes: sex, race, ethnicity, insurance.

    Args:
        columns: As in :func:`guess_environment`.
        taken: Columns that have another role.
        preferred: Columns that a known layout names.
    """
    listed = {name.casefold() for name in preferred}
    found = [
        facts.name
        for facts in columns
        if facts.name not in taken
        and 2 <= len(facts.levels) <= _MOST_LEVELS
        and facts.distinct <= 200
        and (facts.name.casefold() in listed or (not listed and says(facts.name, "group")))
    ]
    if not found:
        return RoleGuess(
            (), "no column looks like sex, race, ethnicity or insurance; name those whose errors are to be compared"
        )
    return RoleGuess(tuple(found), "errors are compared between them, and they may be declared as suspects")
