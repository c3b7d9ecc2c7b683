"""Warnings about modalities that take rows of any time."""

from __future__ import annotations

import re

from gdsfd.cohort.modality_kind import MODALITY_KINDS
from gdsfd.cohort.receipt.receipt import Finding
from gdsfd.cohort.sources.sources import View
from gdsfd.cohort.sources.sql_text import has_word
from gdsfd.cohort.spec import ModalitySpec
from gdsfd.errors import shown

__all__ = ["find_untimed"]

_TIME_LIKE = re.compile(r"offset|time|date|(?<![a-z])day", re.IGNORECASE)


def find_untimed(modality: ModalitySpec, view: View, cohort_label: str) -> list[Finding]:
    """A finding when rows recorded after the prediction time may be included.

    That is so when the source has a time-like column (by its name), and neither a window nor ``where`` or ``derive``
    looks at it. The cohort table itself is not suspected: its columns are chosen one by one.

    Args:
        modality: The spec's entry.
        view: Its source.
        cohort_label: The cohort's source.
    """
    if modality.window is not None or not MODALITY_KINDS.find(modality.kind).timed or view.label == cohort_label:
        return []
    texts = [modality.where or "", *modality.derive.values()]
    times = [column for column in view.columns if _TIME_LIKE.search(column)]
    if not times or any(has_word(column, text) for column in times for text in texts):
        return []
    text = (
        f"{view.label} has {shown(times, 3)}, but the modality takes rows of any time: some may have been recorded "
        "after the "
        "prediction time. Set time and window, or filter with where"
    )
    return [Finding("leakage", modality.name, text)]
