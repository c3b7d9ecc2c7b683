"""Warnings about environments and groups in which a class is not seen, though it should be there many times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from gdsfd.cohort.cohort import Cohort
from gdsfd.cohort.patient_facts import facts_of_cohort
from gdsfd.cohort.receipt.receipt import Finding
from gdsfd.errors import cell_text

__all__ = ["find_one_class_places"]

_EXPECTED = 10.0  #: patients of the class that an environment or a group would have by the share of all others


def find_one_class_places(cohort: Cohort) -> list[Finding]:
    """A finding for each class of an outcome and each column with environments, or groups, that have nobody of it.

    An outcome that a site does not record often stands there as "no", and a column that names the outcome in another
    word divides the classes. Chance does not leave out a class of which ten patients and more are expected.

    Args:
        cohort: The cohort.
    """
    columns = [] if cohort.environment is None else [("environment", cohort.environment)]
    columns += [(f"group {name}", values) for name, values in cohort.groups.items()]
    return [finding for where, values in columns for finding in _of(cohort, where, values)]


def _of(cohort: Cohort, where: str, values: Sequence[str]) -> Iterator[Finding]:
    names, place = np.unique(np.asarray(values, dtype=str), return_inverse=True)
    if len(names) < 2:
        return
    for outcome, label, members, labelled in facts_of_cohort(cohort).classes:
        known = np.bincount(place[labelled], minlength=len(names))
        those = np.bincount(place[members & labelled], minlength=len(names))
        elsewhere = (those.sum() - those) / np.maximum(known.sum() - known, 1)
        without = np.flatnonzero((those == 0) & (known * elsewhere >= _EXPECTED))
        if not len(without):
            continue
        first = without[np.argmax(known[without])]
        more = len(without) - 1
        also = f", and {more:,} more are like that" if more else ""
        yield Finding(
            "labels",
            where,
            f"none of the {known[first]:,} patients with a label in {cell_text(str(names[first]))} has {outcome} = "
            f"{cell_text(label)}, where {known[first] * elsewhere[first]:.0f} would by the share of the others{also}: "
            "is it recorded there, or does the column say what the outcome says?",
            float(len(without)),
        )
