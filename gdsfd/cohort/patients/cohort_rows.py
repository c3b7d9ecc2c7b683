"""The patients of a cohort table as they are read: what modalities are matched with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.patients.follow_up import FollowUp
from gdsfd.cohort.receipt.receipt import Finding, SourceReceipt
from gdsfd.cohort.schema import OutcomeFields, SurvivalFields

__all__ = ["CohortRows"]


@dataclass
class CohortRows:
    """The patients, and their table in the database that modalities are matched with.

    Args:
        id, subject, split, environment, groups, y: As in :class:`~gdsfd.cohort.cohort.Cohort`.
        outcomes: The outcomes' descriptions.
        environment_name: Name of the environment column(s).
        table: Database table ``patients``: row, id (text), id_number (int64 where the id is a plain integer), subject
            and subject_number likewise, train, one column per ``origin`` a modality names.
        label: The cohort's source, for messages.
        own_columns: Columns that the spec names as id, subject, environment, group, outcome, split or origin: no
            features unless a modality names them.
        receipt: The cohort's receipt.
        findings: Warnings about the cohort table.
        outcome_values: The receipt's table of that name.
        survival: Of a survival outcome its intervals, which ``outcomes`` and ``y`` are about; else None.
        follow_up: Likewise the times and events themselves.
    """

    id: list[str]
    subject: list[str]
    split: list[str]
    environment: list[str] | None
    groups: dict[str, list[str]]
    y: NDArray[np.float32] | NDArray[np.int64]
    outcomes: tuple[OutcomeFields, ...]
    environment_name: str | None
    table: Any
    label: str
    own_columns: frozenset[str]
    receipt: SourceReceipt
    findings: list[Finding] = field(default_factory=list)
    outcome_values: list[dict[str, Any]] = field(default_factory=list)
    survival: SurvivalFields | None = None
    follow_up: FollowUp | None = None

    @property
    def train(self) -> NDArray[np.bool_]:
        """Whether each patient trains; bool [N]."""
        return np.asarray(self.split, dtype=object) == "train"
