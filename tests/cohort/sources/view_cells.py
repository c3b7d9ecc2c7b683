"""What a view of a source holds, for the tests of this folder."""

from __future__ import annotations

from typing import Any

from gdsfd.cohort.sources.internal_names import ROW
from gdsfd.cohort.sources.sources import Sources, View


def cells(sources: Sources, view: View, column: str) -> list[Any]:
    """The cells of a column, in the order of the source."""
    return sources.database.fetch(view.table.order_by(ROW))[column].to_pylist()
