"""Codes of a MEDS data set below others: by the parents that ``metadata/codes.parquet`` gives them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import duckdb

from gdsfd.cohort.formats.table_head import columns_of
from gdsfd.errors import InputError, shown

__all__ = ["codes_under"]


def codes_under(parents: Sequence[str], path: str) -> list[str]:
    """Some codes and those below them, that have one of them as a parent, directly or through codes between; by name.

    Args:
        parents: Codes, of the data set or of an ontology that its codes point to.
        path: The data set's ``metadata/codes.parquet``.

    Raises:
        InputError: There is no such file, it says nothing of parents, or no code is below one of them.
    """
    if not os.path.isfile(path):
        raise InputError(f"{path} is not there, and only it says what the parents of a MEDS data set's codes are")
    absent = {"code", "parent_codes"}.difference(columns_of(path, Path()))
    if absent:
        raise InputError(f"{path} has no column {shown(sorted(absent))}, so nothing is known of parents")
    with duckdb.connect() as connection:
        try:
            links = connection.execute(
                "SELECT code, unnest(parent_codes) FROM read_parquet(?) WHERE len(parent_codes) > 0", [path]
            ).fetchall()
        except duckdb.Error as error:
            raise InputError(f"{path} cannot be read: {str(error).splitlines()[0]}") from None
    children: dict[str, list[str]] = {}
    for code, parent in links:
        children.setdefault(str(parent), []).append(str(code))
    unknown = [parent for parent in parents if parent not in children]
    if unknown:
        there = sorted(children)
        raise InputError(
            f"{path}: no code has the parent {shown(unknown)}; "
            + (f"there are {shown(there, 8)}" if there else "no code has any parent there")
        )
    found = set(parents)  # a thing that is recorded by the parent's own code is one of its kind
    open_ends = list(parents)
    while open_ends:
        new = [code for code in children.get(open_ends.pop(), ()) if code not in found]
        found.update(new)
        open_ends += new
    return sorted(found)
