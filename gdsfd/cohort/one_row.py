"""At most one row per patient: the rule of tables and embeddings."""

from __future__ import annotations

from gdsfd.cohort.matching import ID, PATIENT, Rows
from gdsfd.errors import InputError, cell_text

__all__ = ["check_one_row"]


def check_one_row(rows: Rows) -> None:
    """Raises an InputError when a patient has several kept rows.

    Args:
        rows: The matched rows.
    """
    counted = rows.table.group_by(PATIENT).agg(rows=rows.table.count())
    repeated = rows.fetch(rows.named(counted.filter(counted["rows"] > 1)).order_by(ID)).to_pylist()
    if repeated:
        total = len(repeated)
        listed = ", ".join(f"{cell_text(row[ID])} ({row['rows']} rows)" for row in repeated[:5])
        raise InputError(
            f"modality {rows.modality.name!r} ({rows.view.label}): {total} patients have more than one row: "
            f"{listed}. Kind "
            f"{rows.modality.kind!r} takes one row per patient; choose it with where, or read the source as events "
            "or codes"
        )
