"""Candidates: the single columns that could give an outcome away, as numbers to rank or as flags."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.cohort import Cohort, arrays_of
from gdsfd.cohort.modality_kind import ModalityKind, kind_of
from gdsfd.cohort.schema import ModalityFields

__all__ = ["MEASURED", "UNNAMED", "Flags", "Ranked", "flag_all", "leak_candidates"]

MEASURED = ["measured at all"]  #: name of the flag of patients in whom a thing was measured
#: Names of flags of levels and codes that have no name of their own: an unseen level, a rare code, a blank one.
UNNAMED = ("level seen in no training row", "any rare code", "a blank code")


@dataclass(frozen=True)
class Ranked:
    """A numeric column.

    Args:
        where: Modality and column.
        what: Which summary of it, or nothing.
        values: One per patient who has it, no NaN; [n].
        patient: Those patients; [n].
    """

    where: str
    what: str
    values: NDArray[np.number]
    patient: NDArray[np.integer]


@dataclass(frozen=True)
class Flags:
    """Several yes-or-no columns at once; who is not listed under a flag does not have it.

    Args:
        where: Modality and column.
        what: The flags' names.
        flag: A flag's number; [n].
        patient: Who has that flag, each pair at most once; [n].
    """

    where: str
    what: list[str]
    flag: NDArray[np.integer]
    patient: NDArray[np.integer]


def flag_all(where: str, what: list[str], patient: NDArray[np.integer]) -> Flags:
    """One flag that all these patients have."""
    return Flags(where, what, np.zeros(len(patient), np.int64), patient)


def leak_candidates(cohort: Cohort, place: NDArray[np.int64]) -> Iterator[Ranked | Flags]:
    """All columns to look at.

    Args:
        cohort: The cohort.
        place: For each patient its number among those looked at, or -1; int64 [N]. Candidates speak of these numbers.
    """
    for modality in cohort.schema.modalities:
        found = cohort.observations[modality.name]
        owner = place[found.patient]  # [E]
        yield flag_all(modality.name, ["presence"], owner[owner >= 0])
        kind = kind_of(modality)
        if kind.candidates is not None:
            yield from kind.candidates(modality, found, owner)
        else:
            yield from _flat(kind, modality, found, owner)


def _flat(kind: ModalityKind, modality: ModalityFields, found: object, owner: NDArray[np.int64]) -> Iterator[Ranked]:
    """The columns of the flat table, for a kind that offers none of its own."""
    edges = np.flatnonzero(owner >= 0)
    for block, names in kind.flatten(modality, arrays_of(found), edges):
        for column, name in enumerate(names):
            measured = ~np.isnan(block[:, column])
            yield Ranked(name, "", block[measured, column], owner[edges[measured]])
