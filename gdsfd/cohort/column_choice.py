"""Which columns of a source are taken: lists, glob patterns, exclusions, and the default."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable

from gdsfd.cohort.sources import View
from gdsfd.cohort.spec import TableSpec
from gdsfd.errors import InputError, near_names

__all__ = ["matching_columns", "table_columns"]


def matching_columns(view: View, wanted: list[str] | str, field: str) -> list[str]:
    """The columns a list or a glob pattern names, in the order of the list or of the source.

    Args:
        view: The source.
        wanted: Names, or one pattern.
        field: The spec's field, for messages.

    Raises:
        InputError: A column that is not there, or a pattern that no column matches.
    """
    if isinstance(wanted, str):
        if wanted in view.columns:
            return [wanted]
        found = fnmatch.filter(view.columns, wanted)
        if not found:
            raise InputError(f"{view.label}: no column matches {wanted!r} ({field}).{near_names(wanted, view.columns)}")
        return found
    return list(dict.fromkeys(view.require(name, field) for name in wanted))


def table_columns(view: View, modality: TableSpec, own_columns: Iterable[str]) -> tuple[list[str], bool]:
    """The columns of a table modality and whether they were taken by default.

    By default all columns are taken but the id, the time and the cohort's id, subject, outcome and split columns.

    Args:
        view: The source.
        modality: The spec's entry.
        own_columns: Columns of the cohort table that are never features by default.
    """
    field = f"modality {modality.name!r}"
    default = modality.columns is None
    if modality.columns is None:
        taken_away = {modality.id, modality.time, *own_columns}
        chosen = [column for column in view.columns if column not in taken_away]
    else:
        chosen = matching_columns(view, modality.columns, f"columns of {field}")
    for name in (*modality.numeric, *modality.categorical):
        view.require(name, f"numeric or categorical of {field}")
        if name not in chosen:
            chosen.append(name)
    for pattern in modality.exclude:
        gone = fnmatch.filter(view.columns, pattern)
        if not gone:
            raise InputError(
                f"{view.label}: no column matches {pattern!r} (exclude of {field}).{near_names(pattern, view.columns)}"
            )
        chosen = [column for column in chosen if column not in gone]
    if not chosen:
        raise InputError(f"{field}: no column of {view.label} is left to take")
    return chosen, default or isinstance(modality.columns, str)
