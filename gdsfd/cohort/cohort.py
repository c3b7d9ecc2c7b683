"""The cohort: patients, their labels and splits, and each modality's observations as plain arrays.

This is what ingestion hands to the graph. Everything is numpy; nothing here knows of torch. Patients are rows
``0 .. N-1`` in the order of the cohort table; an *observation* is one patient's share of one modality, and a patient
without it simply does not stand in that modality's ``patient`` array.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.schema import CohortSchema

if TYPE_CHECKING:
    from gdsfd.cohort.receipt.receipt import Receipt

__all__ = [
    "CodeObservations",
    "Cohort",
    "EmbeddingObservations",
    "EventObservations",
    "Observations",
    "TableObservations",
    "arrays_of",
]


@dataclass
class TableObservations:
    """At most one row per patient.

    Args:
        patient: Row of the cohort, strictly ascending; int64 [E].
        numeric: Raw values, NaN = not measured; float32 [E, numeric columns].
        categorical: 0 = not measured, 1 = level unseen in train, ``j + 2`` = level ``j``; int64
            [E, categorical columns].
    """

    patient: NDArray[np.int64]
    numeric: NDArray[np.float32]
    categorical: NDArray[np.int64]


@dataclass
class EventObservations:
    """Many time-stamped values per patient, binned into steps and packed (never padded).

    Args:
        patient: Row of the cohort, strictly ascending; int64 [E].
        ptr: The cells of observation ``e`` are ``ptr[e]:ptr[e + 1]``; int64 [E + 1].
        step: Time step of a cell; within an observation cells are sorted by step, then item; int32 [M].
        item: Item of a cell; int32 [M].
        value: Mean of the item's raw values in that step; float32 [M].
        summary_ptr: Like ``ptr`` for the summary rows; int64 [E + 1].
        summary_item: Item of a summary row, ascending within an observation; int32 [S].
        summary: count, mean, min, max, first, last of the item's raw values in the window
            (:data:`~gdsfd.cohort.schema.SUMMARY_COLUMNS`); float32 [S, 6].
    """

    patient: NDArray[np.int64]
    ptr: NDArray[np.int64]
    step: NDArray[np.int32]
    item: NDArray[np.int32]
    value: NDArray[np.float32]
    summary_ptr: NDArray[np.int64]
    summary_item: NDArray[np.int32]
    summary: NDArray[np.float32]


@dataclass
class CodeObservations:
    """A set of codes per patient, packed.

    Args:
        patient: Row of the cohort, strictly ascending; int64 [E].
        ptr: The codes of observation ``e`` are ``ptr[e]:ptr[e + 1]``; int64 [E + 1].
        code: 0 = rare or unseen in train, 1 = blank, ``j + 2`` = code ``j``; ascending and distinct within an
            observation; int32 [M].
    """

    patient: NDArray[np.int64]
    ptr: NDArray[np.int64]
    code: NDArray[np.int32]


@dataclass
class EmbeddingObservations:
    """One precomputed vector per patient.

    Args:
        patient: Row of the cohort, strictly ascending; int64 [E].
        vector: Raw vectors, all finite; float32 [E, width].
    """

    patient: NDArray[np.int64]
    vector: NDArray[np.float32]


class Observations(Protocol):
    """The observations of any kind: a dataclass of arrays, named as in the layout of its
    :class:`~gdsfd.cohort.modality_kind.ModalityKind`, and ``patient``.

    Args:
        patient: Row of the cohort, strictly ascending; int64 [E].
    """

    patient: NDArray[np.int64]


def arrays_of(observations: Any) -> dict[str, NDArray[Any]]:
    """The arrays of observations by the keys of a graph: all but ``patient``, which is the edge list itself.

    PyG's ``Batch`` keeps the key ``ptr`` for itself and drops what it finds there, hence ``run_ptr``.
    """
    return {
        {"ptr": "run_ptr"}.get(part.name, part.name): getattr(observations, part.name)
        for part in fields(observations)
        if part.name != "patient"
    }


@dataclass
class Cohort:
    """Patients with labels, splits and observations.

    Args:
        id: Patient ids as text, in the order of the cohort table; [N].
        subject: The person each patient belongs to; [N]. All patients of a subject are in one split.
        split: ``train``, ``tuning``, ``test`` or a further evaluation set's name; [N].
        environment: Site, era or unit as text (missing: ``"Unknown"``), or None when the spec declares none; [N].
        groups: Fairness attribute -> value per patient as text (missing: ``"Unknown"``); each [N].
        y: ``float32 [N, outcomes]`` with NaN = unlabelled; for a multi-class outcome ``int64 [N]`` with
            -1 = unlabelled.
        observations: Modality name -> observations, in the order of ``schema.modalities``.
        schema: What was fitted on the training rows.
        receipt: What was read, kept and dropped, and why.
        follow_up: Of a survival outcome: how long each patient was followed, NaN = unlabelled; float64 [N]. Else None.
        event: Whether that ended with the event: 1, 0 = censored, NaN = unlabelled; float32 [N]. Else None.
    """

    id: list[str]
    subject: list[str]
    split: list[str]
    environment: list[str] | None
    groups: dict[str, list[str]]
    y: NDArray[np.float32] | NDArray[np.int64]
    observations: dict[str, Observations]
    schema: CohortSchema
    receipt: Receipt
    spec: dict[str, object] = field(default_factory=dict)
    follow_up: NDArray[np.float64] | None = None
    event: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.id)
