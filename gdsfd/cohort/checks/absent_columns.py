"""Warnings about columns and items that training patients had and none of the new ones has."""

from __future__ import annotations

from gdsfd.cohort.cohort import Cohort, TableObservations
from gdsfd.cohort.modality_kind import kind_of
from gdsfd.cohort.receipt.receipt import Finding
from gdsfd.cohort.schema import LEVEL_MISSING
from gdsfd.errors import shown

__all__ = ["find_absent_columns"]

_FEWEST = 20  #: new patients who have the modality, for absence to be no chance
_SHARE = 0.1  #: of the values of the column or item that training had most of


def find_absent_columns(cohort: Cohort) -> list[Finding]:
    """A finding for each modality with columns, or items, that are blank for all new patients.

    A column that is renamed or exported empty looks like one that nobody was measured for, and predictions are made
    without it. What was rare in training is not looked at, nor are modalities that a few have.

    Args:
        cohort: Patients read with a fitted schema.
    """
    found = []
    for fields in cohort.schema.modalities:
        observed, kind = cohort.observations[fields.name], kind_of(fields)
        if kind.ranges is None or len(observed.patient) < _FEWEST:
            continue
        columns = [
            (name, len(values), scales[0].count)
            for name, values, scales in kind.ranges(fields, observed)
            if len(scales) == 1
        ]
        if isinstance(observed, TableObservations):
            # nothing is known of levels in schemas of earlier versions
            for position, (name, counts) in enumerate(zip(fields.categorical, fields.level_counts)):
                measured = int((observed.categorical[:, position] != LEVEL_MISSING).sum())
                columns.append((name, measured, sum(counts)))
        usual = _SHARE * max((count for _, _, count in columns), default=0)
        absent = [(count, name) for name, here, count in columns if not here and count >= max(usual, 1)]
        if absent:
            names = [name for _, name in sorted(absent, key=lambda each: (-each[0], each[1]))]
            text = (
                f"none of the {len(observed.patient):,} new patients who have it has {shown(names)}, which training "
                f"had ({max(absent)[0]:,} values of {names[0]!r}): renamed, or exported empty? Predictions are made "
                "without"
            )
            found.append(Finding("presence", fields.name, text, float(len(absent))))
    return found
