"""What a format says a spec is, before the user's own fields are laid over it."""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass, field
from typing import Any

from gdsfd.cohort.formats.label_file import LabelFile
from gdsfd.cohort.formats.request import FormatRequest
from gdsfd.cohort.spec.numbers import MOST_MINUTES

__all__ = ["PATIENT_ID", "Proposed", "age_of", "cohort_of", "modality_name", "times_of"]

#: Of each patient: whose label, and for when.
PATIENT_ID = "CAST(subject_id AS VARCHAR) || '@' || CAST(prediction_time AS VARCHAR)"


@dataclass
class Proposed:
    """Fields as a spec has them.

    Args:
        cohort: Of ``[cohort]``.
        modality: The entries ``[[modality]]``.
        outcome: The entry ``[outcome]``; None where the labels do not say it.
        why: Why there is no outcome.
        split: Of ``[split]``; None = the spec's default.
        notes: What was left out, and why.
        of_modality: Name of a modality -> what its receipt shall tell of how its rows were chosen.
    """

    cohort: dict[str, Any]
    modality: list[dict[str, Any]]
    outcome: dict[str, Any] | None = None
    why: str = ""
    split: dict[str, Any] | None = None
    notes: list[str] = field(default_factory=list)
    of_modality: dict[str, list[str]] = field(default_factory=dict)


def cohort_of(labels: LabelFile) -> dict[str, Any]:
    """``[cohort]``: one label, a person at a prediction time, is one patient.

    Args:
        labels: The labels.
    """
    return {
        "source": labels.source,
        "id": "patient_at",
        "subject": "subject_id",
        "derive": {"patient_at": PATIENT_ID},
        "join": [],
    }


def times_of(request: FormatRequest, time: str, kind: str) -> dict[str, Any]:
    """The fields of a modality whose rows have a time: counted from the prediction time, within the window.

    Args:
        request: The spec's fields.
        time: Column of the time.
        kind: Kind of the modality.
    """
    start, end = request.window
    steps = {"bin": request.bin or end - start} if kind == "events" else {}
    return {"time": time, "origin": "prediction_time", "window": [start, end], **steps}


def age_of(time: str) -> dict[str, Any]:
    """The fields of a modality of one number, the age in years, from rows that say when persons were born.

    There is no window: it could hold at most 100 years. Steps of a hundred years make it one step.

    Args:
        time: Column of the birth.
    """
    return {
        "kind": "events",
        "time": time,
        "origin": "prediction_time",
        "bin": MOST_MINUTES,
        "item": "item",
        "elapsed": "years",
    }


def modality_name(text: str, taken: Container[str]) -> str:
    """A name for a modality.

    Args:
        text: What it is called in the data.
        taken: Names that are taken.

    Example:
        >>> modality_name("LAB//", []), modality_name("Lab", ["lab"]), modality_name("//", [])
        ('lab', 'lab_2', 'other')
    """
    plain = re.sub(r"[^0-9a-z]+", "_", text.lower()).strip("_") or "other"
    number, name = 1, plain
    while name in taken:
        number += 1
        name = f"{plain}_{number}"
    return name
