"""Warnings about modalities that all patients at one end of the cohort lack: an export that was cut off."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.cohort import Cohort
from gdsfd.cohort.receipt.receipt import Finding

__all__ = ["find_cut_off"]

_FEWEST, _SHARE = 20, 0.05  #: patients at the end who lack it, and their share of all
_DIGITS = 18  #: that an integer of 64 bits always holds
_ELSEWHERE = 0.8  #: share of the others who have it


def find_cut_off(cohort: Cohort) -> list[Finding]:
    """A finding for each modality that nobody has at the end of the cohort table, or of its ids in order.

    Exports are sorted so, most often; where the others nearly all have the modality, chance does not leave twenty
    patients and more in a row without it.

    Args:
        cohort: The cohort.
    """
    total = len(cohort)
    orders = {
        "of the cohort table": np.arange(total),
        "of their ids": np.argsort(np.asarray(cohort.id, dtype=str), kind="stable"),
        "of their ids as numbers": _by_number(cohort.id),
    }
    found = []
    for name, observed in cohort.observations.items():
        there = np.zeros(total, bool)
        there[observed.patient] = True
        for words, order in orders.items():
            lacking = _at_the_end(there[order]) if order is not None else 0
            share = there.sum() / max(total - lacking, 1)
            if lacking >= max(_FEWEST, _SHARE * total) and lacking < total and share >= _ELSEWHERE:
                text = (
                    f"none of the last {lacking:,} of {total:,} patients in the order {words} has it, and {share:.0%} "
                    "of those before have: was the export cut off, or do its records end earlier?"
                )
                found.append(Finding("presence", name, text, lacking / total))
                break
    return found


def _at_the_end(there: NDArray[np.bool_]) -> int:
    """How many of the last do not have it."""
    places = np.flatnonzero(there)
    return len(there) - 1 - int(places[-1]) if len(places) else len(there)


def _by_number(ids: list[str]) -> NDArray[np.intp] | None:
    """The order of ids by their digits, which are numbers behind letters, say; None where some have none."""
    digits = ["".join(sign for sign in own if sign in "0123456789") for own in ids]
    if not all(digits) or max(map(len, digits)) > _DIGITS:
        return None
    return np.argsort(np.array([int(each) for each in digits]), kind="stable")
