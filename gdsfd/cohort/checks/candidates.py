"""Candidate columns: what a kind of modality offers to the search for leaks, numbers to rank or flags."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["MEASURED", "Flags", "Ranked", "flag_all"]

MEASURED = ["measured at all"]  #: name of the flag of patients in whom a thing was measured


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


def flag_all(where: str, what: list[str], patient: NDArray[np.int64]) -> Flags:
    """One flag that all these patients have."""
    return Flags(where, what, np.zeros(len(patient), np.int64), patient)
