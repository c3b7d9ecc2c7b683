"""Columns that tend to be missing together: each such group is a modality of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gdsfd.first_spec.sample import ExportTable
from gdsfd.first_spec.words import folded

__all__ = ["Block", "blocks_of"]

_RARE, _ALIKE = 0.02, 0.9  #: share missing that makes a column a complete one; overlap of two columns' gaps
_MOST = 12  #: blocks of one table


@dataclass(frozen=True)
class Block:
    """Some columns of a table.

    Args:
        name: After what they have in common, or the first of them.
        columns: The columns.
        measured: Share of rows with any of them.
    """

    name: str
    columns: tuple[str, ...]
    measured: float


def blocks_of(table: ExportTable, columns: Sequence[str], missing: Sequence[float] = ()) -> list[Block]:
    """Groups columns by who has them.

    Args:
        table: A table with one row per patient.
        columns: The columns to be grouped.
        missing: Numbers that mean "not measured".

    Returns:
        Groups, that of the complete columns first; one group where the gaps agree, or where there would be too many.
    """
    gaps = {name: _gap(table, name, missing) for name in columns}
    groups: list[list[str]] = []
    complete = [name for name in columns if gaps[name].mean() <= _RARE]
    for name in columns:
        if name in complete:
            continue
        near = next((group for group in groups if _overlap(gaps[name], gaps[group[0]]) >= _ALIKE), None)
        groups.append([name]) if near is None else near.append(name)
    groups = ([complete] if complete else []) + groups
    if len(groups) > _MOST or len(groups) < 2:
        groups = [list(columns)]
    found, taken = [], set()
    for group in groups:
        name = f"{table.name}_basics" if group is complete or len(groups) == 1 else _common(group, table.name)
        name = table.name if len(groups) == 1 else name
        while name in taken:
            name += "_2"
        taken.add(name)
        measured = 1 - float(np.logical_and.reduce([gaps[one] for one in group]).mean()) if group else 0.0
        found.append(Block(name, tuple(group), measured))
    return found


def _gap(table: ExportTable, name: str, missing: Sequence[float]) -> np.ndarray:
    declared = {f"{value:g}" for value in missing}
    numeric = table.facts[name].is_number
    return np.asarray(
        [cell is None or (numeric and bool(declared) and f"{float(cell):g}" in declared) for cell in table.cells(name)]
    )


def _overlap(one: np.ndarray, other: np.ndarray) -> float:
    either = (one | other).sum()
    return float((one & other).sum() / either) if either else 1.0


def _common(group: Sequence[str], table: str) -> str:
    """The words that all names begin with, else the first name."""
    words = [folded(name).split() for name in group]
    common = []
    for part in zip(*words):
        if len(set(part)) > 1:
            break
        common.append(part[0])
    return "_".join(common or words[0] or [table])
