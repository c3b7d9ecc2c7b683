"""At most one row per patient: the rule of tables and embeddings."""

from __future__ import annotations

from gdsfd.cohort.matching import ID, Rows
from gdsfd.errors import InputError

__all__ = ["check_one_row"]


def check_one_row(rows: Rows) -> None:
    """Raises an InputError when a patient has several kept rows.

    Args:
        rows: The matched rows.
    """
    counted = rows.kept.group_by(ID).agg(rows=lambda t: t.count())
    repeated = counted.filter(counted["rows"] > 1)
    found = rows.fetch(repeated.order_by(ID).limit(5)).to_pylist()
    if found:
        total = rows.fetch(repeated.aggregate(n=repeated.count()))["n"][0].as_py()
        listed = ", ".join(f"{row[ID]!r} ({row['rows']} rows)" for row in found)
        raise InputError(
            f"modality {rows.modality.name!r} ({rows.view.label}): {total} patients have more than one row: {listed}. Kind "
            f"{rows.modality.kind!r} takes one row per patient; choose it with where, or read the source as events or codes"
        )
