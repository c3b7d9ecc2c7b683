"""The patients as a table of the database, which modalities are matched with."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from gdsfd.cohort.patients.cohort_rows import CohortRows
from gdsfd.cohort.sources.internal_names import ENVIRONMENT, origin_column
from gdsfd.cohort.sources.sources import Sources

__all__ = ["patients_table"]


def patients_table(sources: Sources, rows: CohortRows, origins: dict[str, list[str | None]]) -> Any:
    """Stores the patients in the database.

    Args:
        sources: Where tables are opened.
        rows: The patients.
        origins: Column that times count from -> its cells, as text: read together with the times they belong to.

    Returns:
        The table: row, id (text), id_number (int64 where the id is a plain integer), subject and subject_number
        likewise, train, the number of the environment (null without any), one column per origin.
    """
    plain = [_plain_integer(own) for own in rows.id]
    number = {name: place for place, name in enumerate(sorted(set(rows.environment or [])))}
    places = [None] * len(rows.id) if rows.environment is None else [number[name] for name in rows.environment]
    people = [_plain_integer(own) for own in rows.subject]
    table = pa.table(
        {
            "row": pa.array(range(len(rows.id)), pa.int32()),
            "id": pa.array(rows.id, pa.string()),
            "id_number": pa.array(plain, pa.int64()),
            "subject": pa.array(rows.subject, pa.string()),
            "subject_number": pa.array(people, pa.int64()),
            "train": pa.array(rows.train),
            ENVIRONMENT: pa.array(places, pa.int32()),
            **{origin_column(name): pa.array(values, pa.string()) for name, values in origins.items()},
        }
    )
    return sources.database.store(sources.database.new_name("patients"), table)


def _plain_integer(own: str) -> int | None:
    """The int64 that is written exactly like an id, or None: ``007``, ``+7``, ``-0`` and ``7.0`` are names."""
    if not own.isascii() or not own.removeprefix("-").isdigit() or len(own) > 20:
        return None
    number = int(own)
    return number if str(number) == own and -(1 << 63) <= number < 1 << 63 else None
