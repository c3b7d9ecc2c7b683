"""A layout held against the headers of the real export."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from gdsfd.cohort.sources.csv_text import header_of
from gdsfd.first_spec.find_exports import find_exports
from gdsfd.first_spec.layouts import Layout, recognised
from tests.first_spec.tables import table_of

__all__ = ["check_layout"]


def check_layout(layout: Layout, folder: Path, layouts: Sequence[Layout], absent: Sequence[str] = ()) -> None:
    """Fails where the layout is not recognised by the headers alone, or names a column that no file has.

    Args:
        layout: The layout.
        folder: The export.
        layouts: All layouts, in their order.
        absent: Columns of files that this copy of the export lacks.
    """
    tables = []
    for place in find_exports([folder]).places:
        columns = header_of(place.paths[0], os.path.basename(place.paths[0])).columns
        table = table_of("t", **{f"c{k}": ["1"] for k in range(len(columns))})
        tables.append(type(table)(place, table.rows.rename_columns(list(columns))))
    assert recognised(tables, layouts) is layout
    have = {column.casefold() for table in tables for column in table.columns} | {name.casefold() for name in absent}
    named = {*layout.leaks, *layout.origin, *layout.environment, *layout.groups, *layout.parts}
    named |= {name for name in (layout.id, layout.subject) if name}
    assert {name for name in named if name.casefold() not in have} == set()
    for hint in layout.tables:
        own = [table for table in tables if layout.hint(table) is hint]
        if not own:
            continue
        columns = {column for table in own for column in table.columns} | set(hint.derive)
        fields = {hint.time, hint.item, hint.value, hint.code, *hint.values, *hint.take} - {None}
        assert fields <= columns, hint
        for sql in hint.derive.values():
            plain = re.sub(r"'[^']*'", "", sql)
            named = set(re.findall(r"\b[a-z_][a-z_0-9]*\b(?!\()", plain)) - {"as"}
            assert named <= {name.lower() for name in columns}, sql
