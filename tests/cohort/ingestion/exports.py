"""The tables and the spec of a plan (:mod:`~tests.cohort.ingestion.plans`), and how they are written to disk."""

from __future__ import annotations

import csv
import gzip
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tests.cohort.ingestion.modality_rows import modality_table
from tests.cohort.ingestion.patients import cohort_table
from tests.cohort.ingestion.plans import Layout, Plan

__all__ = ["Case", "Table", "make_case", "write_table"]

_DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
_PADS = (" {}", "{} ", "\u00a0{}", "{}\u200b", "\u3000{}\t")


#: Chance may leave any modality empty: its few rows are outside the window, filtered, or of items too rare in train.
_CHANCE = frozenset({"few rows"})


@dataclass
class Table:
    """A table as it is stored.

    Args:
        frame: Names and cells, texts with the blanks around them; None = blank.
        layout: How it lies on disk.
        keep: Column and value of the ``where`` that filters it; None = no filter.
        foreign: Whether it is written in an encoding that is not read, with letters that show it.
    """

    frame: pd.DataFrame
    layout: Layout
    keep: tuple[str, str] | None = None
    foreign: bool = False


@dataclass
class Case:
    """A plan's tables and spec.

    Args:
        spec: The fields of the spec, without sources.
        cohort: The cohort table.
        modalities: The others, in the order of the spec.
        planted: The harmful dirt among them.
    """

    spec: dict[str, Any]
    cohort: Table
    modalities: list[Table]
    planted: frozenset[str] = field(default_factory=frozenset)


def make_case(plan: Plan) -> Case:
    """Fills the tables of a plan; the same plan gives the same tables."""
    random = np.random.default_rng([plan.seed, 0])
    frame, fields, columns = cohort_table(plan.cohort, random)
    cohort = _table(frame, plan.cohort.layout, plan.cohort.dirt, random, columns.keep)
    modalities, entries = [], []
    for number, part in enumerate(plan.modalities):
        random = np.random.default_rng([plan.seed, number + 1])
        filled, entry, keep = modality_table(part, f"{part.kind}{number}", columns, random)
        modalities.append(_table(filled, part.layout, part.dirt, random, keep))
        entries.append(entry)
    planted = {plan.cohort.dirt, *(part.dirt for part in plan.modalities)} - {""}
    return Case({**fields, "modality": entries}, cohort, modalities, _CHANCE | planted | columns.risks)


def _table(
    frame: pd.DataFrame, layout: Layout, dirt: str, random: np.random.Generator, keep: tuple[str, str] | None
) -> Table:
    """The frame as the layout has it: dirty names, typed columns, padded cells."""
    if dirt == "names alike":
        frame[frame.columns[-1].swapcase() if frame.columns[-1].swapcase() != frame.columns[-1] else "Id"] = "x"
        if "Id" in frame:
            frame["iD"] = "x"
    elif dirt == "internal name":
        frame["__GDSFD_row"] = "1"
    elif dirt == "foreign encoding":
        frame["remark"] = [None, "Übelkeit", "déjà vu"][1] if len(frame) else None
    if not layout.text and layout.typed:
        frame = frame.apply(lambda column: _typed(column, random))
    if layout.text and layout.padded:
        cells = {_padded(name, random): [_padded(cell, random) for cell in frame[name]] for name in frame}
        frame = pd.DataFrame(cells, dtype=object)
    return Table(frame, layout, keep, foreign=dirt == "foreign encoding" and layout.text)


def _typed(column: pd.Series, random: np.random.Generator) -> pd.Series:
    """Numbers, truth values or timestamps, where all cells are some and nothing is lost."""
    cells = [cell for cell in column if cell is not None]
    if not cells or not all(isinstance(cell, str) for cell in cells):
        return column
    if all(cell in ("true", "false") for cell in cells) and len(cells) == len(column):
        return column == "true"
    if all(cell.isascii() and cell.isdigit() and str(int(cell)) == cell and len(cell) < 16 for cell in cells):
        whole = "Int64" if random.random() < 0.5 else "float64"
        return pd.Series([None if cell is None else int(cell) for cell in column]).astype(whole)
    if all(cell[:2] == "21" and cell[4:5] == "-" for cell in cells):
        zoned = "+" in cells[0] or cells[0].endswith("Z")
        try:
            return pd.to_datetime(pd.Series(column), format="ISO8601", utc=zoned)
        except ValueError:  # among them is one that is no time
            return column
    try:
        numbers = [float(cell) for cell in cells]
    except ValueError:
        return column
    if not all(repr(number) == cell for number, cell in zip(numbers, cells)):
        return column
    return pd.Series([np.nan if cell is None else float(cell) for cell in column])


def _padded(cell: Any, random: np.random.Generator) -> Any:
    if not isinstance(cell, str) or random.random() < 0.6:
        return cell
    return _PADS[random.integers(len(_PADS))].format(cell)


def write_table(table: Table, folder: Path, name: str) -> Any:
    """Writes a table.

    Args:
        table: The table.
        folder: Where to.
        name: Its name.

    Returns:
        What a spec has as ``source``: a path, a glob, or the DataFrame itself.
    """
    layout = table.layout
    if layout.form == "frame":
        return table.frame
    bounds = np.linspace(0, len(table.frame), layout.files + 1).astype(int)
    for part in range(layout.files):
        rows = table.frame.iloc[bounds[part] : bounds[part + 1]]
        rows = rows[rows.columns[::-1]] if part else rows
        if layout.text:
            suffix = ".tsv" if layout.form == "tab" else ".csv"
            path = folder / f"{name}-{part}{suffix}{'.gz' if layout.gzipped else ''}"
            raw = _encoded(_as_text(rows, layout), table)
            path.write_bytes(gzip.compress(raw, 1) if layout.gzipped else raw)
        else:
            path = folder / f"{name}-{part}.parquet"
            _narrowed(rows, table.frame).to_parquet(path, index=False)
    return path.name if layout.files == 1 else f"{name}-*{''.join(path.suffixes)}"


def _narrowed(rows: pd.DataFrame, whole: pd.DataFrame) -> pd.DataFrame:
    """A part's whole numbers as integers where the column has others elsewhere: each file has types of its own."""
    narrow = {
        name: "int64"
        for name in rows.select_dtypes("float")
        if rows[name].mod(1).eq(0).all() and rows[name].abs().lt(1e9).all() and not whole[name].mod(1).eq(0).all()
    }
    return rows.astype(narrow)


def _as_text(rows: pd.DataFrame, layout: Layout) -> str:
    stream, delimiter = io.StringIO(), _DELIMITERS[layout.form]
    stream.write({"": "", "blank": layout.line_end * 2, "sep": f"sep={delimiter}{layout.line_end}"}[layout.above])
    writer = csv.writer(stream, delimiter=delimiter, lineterminator=layout.line_end)
    writer.writerow(rows.columns)
    writer.writerows([["" if cell is None else cell for cell in row] for row in rows.itertuples(index=False)])
    return stream.getvalue()


def _encoded(text: str, table: Table) -> bytes:
    """Letters beyond ASCII go into an encoding that is not read only where that is the dirt."""
    if table.foreign:
        return text.encode("cp1252", errors="replace")
    legacy = table.layout.encoding == "cp1252" and not text.isascii()
    return text.encode("utf-8" if legacy else table.layout.encoding)
