"""The single columns of a cohort that could give an outcome away, as numbers to rank or as flags."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.cohort import CodeObservations, Cohort, EventObservations, TableObservations
from gdsfd.cohort.schema import LEVEL_MISSING, SUMMARY_COLUMNS, ModalityFields
from gdsfd.errors import cell_text

__all__ = ["Flags", "Ranked", "leak_candidates"]

_MEASURED = ["measured at all"]
_SUMMARIES = ("mean", "last")


@dataclass(frozen=True)
class Ranked:
    """A numeric column.

    Args:
        where: Modality and column.
        what: Which summary of it, or nothing.
        values: One per patient who has it, no NaN; [n].
        patient: Those patients; int64 [n].
    """

    where: str
    what: str
    values: NDArray[np.float32]
    patient: NDArray[np.int64]


@dataclass(frozen=True)
class Flags:
    """Several yes-or-no columns at once; who is not listed under a flag does not have it.

    Args:
        where: Modality and column.
        what: The flags' names.
        flag: A flag's number; [n].
        patient: Who has that flag, each pair at most once; int64 [n].
    """

    where: str
    what: list[str]
    flag: NDArray[np.integer]
    patient: NDArray[np.int64]


def leak_candidates(cohort: Cohort, place: NDArray[np.int64]) -> Iterator[Ranked | Flags]:
    """All columns to look at.

    Args:
        cohort: The cohort.
        place: For each patient its number among those looked at, or -1; int64 [N]. Candidates speak of these numbers.
    """
    for modality in cohort.schema.modalities:
        found = cohort.observations[modality.name]
        owner = place[found.patient]  # [E]
        yield _all(modality.name, ["presence"], owner[owner >= 0])
        if isinstance(found, TableObservations):
            yield from _table(modality, found, owner)
        elif isinstance(found, EventObservations):
            yield from _events(modality, found, owner)
        elif isinstance(found, CodeObservations):
            names = ["any rare code", "a blank code", *(f"code {cell_text(code)}" for code in modality.codes)]
            owner = np.repeat(owner, np.diff(found.ptr))
            yield Flags(modality.name, names, found.code[owner >= 0], owner[owner >= 0])


def _all(where: str, what: list[str], patient: NDArray[np.int64]) -> Flags:
    return Flags(where, what, np.zeros(len(patient), np.int64), patient)


def _table(modality: ModalityFields, found: TableObservations, owner: NDArray[np.int64]) -> Iterator[Ranked | Flags]:
    kept = owner >= 0
    owner, numeric, categorical = owner[kept], found.numeric[kept], found.categorical[kept]
    for column, name in enumerate(modality.numeric):
        measured = ~np.isnan(numeric[:, column])
        where = f"{modality.name}.{name}"
        yield Ranked(where, "", numeric[measured, column], owner[measured])
        yield _all(where, _MEASURED, owner[measured])
    for column, name in enumerate(modality.categorical):
        measured = categorical[:, column] > LEVEL_MISSING
        where = f"{modality.name}.{name}"
        levels = ["level seen in no training row", *(f"level {cell_text(level)}" for level in modality.levels[column])]
        yield Flags(where, levels, categorical[measured, column] - 1, owner[measured])
        yield _all(where, _MEASURED, owner[measured])


def _events(modality: ModalityFields, found: EventObservations, owner: NDArray[np.int64]) -> Iterator[Ranked | Flags]:
    owner = np.repeat(owner, np.diff(found.summary_ptr))
    kept = np.flatnonzero(owner >= 0)
    kept = kept[np.argsort(found.summary_item[kept], kind="stable")]
    ends = np.searchsorted(found.summary_item[kept], np.arange(len(modality.items) + 1))
    for number, name in enumerate(modality.items):
        rows = kept[ends[number] : ends[number + 1]]
        where = f"{modality.name}.{name}"
        for summary in _SUMMARIES:
            yield Ranked(where, summary, found.summary[rows, SUMMARY_COLUMNS.index(summary)], owner[rows])
        yield _all(where, _MEASURED, owner[rows])
