"""At most one row per patient: the rule of tables and embeddings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.matching import Rows
from gdsfd.errors import InputError, cell_text

__all__ = ["check_one_row"]


def check_one_row(patient: NDArray[np.int64], rows: Rows) -> None:
    """Raises an InputError when a patient has several kept rows.

    Args:
        patient: Row of the cohort of each kept row; [R].
        rows: Where they come from.
    """
    owner, counts = np.unique(patient, return_counts=True)
    repeated = sorted((rows.cohort.id[row], int(count)) for row, count in zip(owner, counts) if count > 1)
    if repeated:
        listed = ", ".join(f"{cell_text(own)} ({count} rows)" for own, count in repeated[:5])
        raise InputError(
            f"modality {rows.modality.name!r} ({rows.view.label}): {len(repeated)} patients have more than one row: "
            f"{listed}. Kind "
            f"{rows.modality.kind!r} takes one row per patient; choose it with where, or read the source as events "
            "or codes"
        )
