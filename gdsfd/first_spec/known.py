"""What is known of an export by the time that blocks of a spec are written."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gdsfd.errors import InputError
from gdsfd.first_spec.keys import Keys, Link
from gdsfd.first_spec.kinds import KindGuess
from gdsfd.first_spec.layouts import Layout, TableHint
from gdsfd.first_spec.look_ups import LookUp
from gdsfd.first_spec.outcomes import OutcomeGuess
from gdsfd.first_spec.proposal import Request
from gdsfd.first_spec.sample import ExportTable
from gdsfd.first_spec.sql_names import sql_name
from gdsfd.first_spec.times import TimeGuess

__all__ = ["Known", "Linked", "joined_parts", "reasons", "written"]


@dataclass
class Known:
    """What is known by now."""

    request: Request
    layout: Layout
    base_dir: Path
    tables: Sequence[ExportTable]
    keys: Keys
    outcome: OutcomeGuess
    look_ups: list[LookUp] = field(default_factory=list)
    origin: str | None = None
    end: float = 1440.0
    #: Patient -> whether the outcome is positive; of several classes one mapping each, that class against the rest.
    labels: list[dict[str, bool]] = field(default_factory=list)
    roles: dict[str, str] = field(default_factory=dict)
    groups: tuple[str, ...] = ()


@dataclass
class Linked:
    """A table that belongs to patients."""

    table: ExportTable
    link: Link
    kind: KindGuess
    hint: TableHint | None
    time: TimeGuess | None
    lags: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))


def joined_parts(table: ExportTable, parts: Sequence[str]) -> str:
    """SQL of an id that several columns make together.

    Args:
        table: The table.
        parts: The columns, by the cohort's names for them.
    """
    own = [str(table.column(part)) for part in parts]
    if not (table.place.parquet or table.place.in_database):  # text as written: 007 stays 007
        own = [f"{name}__text" for name in own]
    return f"concat_ws('_', {', '.join(map(sql_name, own))})"


def reasons(left: dict[str, str]) -> str:
    """Columns by reason: ``a, b (a key); c (a time)``."""
    by_reason: dict[str, list[str]] = {}
    for name, why in left.items():
        by_reason.setdefault(why, []).append(name)
    return "; ".join(f"{', '.join(names)} ({why})" for why, names in by_reason.items())


def written(table: ExportTable, known: Known) -> str:
    """The source as the spec has it: relative to the spec's folder where that is near, else absolute."""
    written = table.place.written
    if "${" in written:
        raise InputError(f"{written}: a spec would take ${{...}} for a variable; rename the folder or the file")
    relative = os.path.relpath(written, known.base_dir)
    return written if relative.startswith(os.path.join("..", "..", "..", "..")) else relative
