"""Reading a modality of kind ``embedding``: one precomputed vector per patient."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gdsfd.cohort.cohort import EmbeddingObservations
from gdsfd.cohort.columns.by_row import by_row
from gdsfd.cohort.columns.column_choice import ColumnChoice, matching_columns
from gdsfd.cohort.columns.scales import numeric_scales
from gdsfd.cohort.columns.single_precision import check_stored
from gdsfd.cohort.columns.unwanted_columns import known_as_row_number
from gdsfd.cohort.columns.wide_rows import WideRows, wide_rows
from gdsfd.cohort.keys.spellings import parse_scalar
from gdsfd.cohort.patients.cohort_rows import CohortRows
from gdsfd.cohort.readers.matched_rows import PATIENT, MatchedRows, check_one_row, match_rows
from gdsfd.cohort.receipt.receipt import Finding, SourceReceipt
from gdsfd.cohort.schema import ModalityFields, Reading
from gdsfd.cohort.sources.sources import Sources, View
from gdsfd.cohort.sources.values import is_declared_missing
from gdsfd.cohort.spec import EmbeddingSpec
from gdsfd.errors import InputError, SchemaError, cell_text, shown
from gdsfd.large_arrays import GrowingArray

__all__ = ["read_embedding"]

_ROWS = 1 << 12  #: of lists, at a time


def read_embedding(
    modality: EmbeddingSpec, view: View, cohort: CohortRows, sources: Sources, like: ModalityFields | None = None
) -> tuple[EmbeddingObservations, ModalityFields, SourceReceipt]:
    """Reads one embedding modality. A row whose vector is blank or declared missing altogether is dropped and counted.

    Args:
        modality: The spec's entry.
        view: Its source.
        cohort: The patients.
        sources: Where tables are opened.
        like: A fitted description; the width must equal its.

    Raises:
        InputError: Vectors of different lengths, with NaN or text; two rows of a patient; nothing left.
        SchemaError: Another width than that of ``like``.
    """
    choice = matching_columns(
        view,
        modality.columns,
        f"columns of modality {modality.name!r}",
        own=(modality.id, modality.time),
        never=cohort.own_columns,
    )
    columns = [name for name in choice.columns if name in choice.by_name or not known_as_row_number(name)]
    if not columns:
        raise InputError(f"modality {modality.name!r}: no column of {view.label} is left to take")
    kind = view.table[columns[0]].type()
    if len(columns) == 1 and (kind.is_array() or kind.is_string()):
        rows = match_rows(modality, view, cohort, sources)
        vector, patient = _lists(rows, columns[0])
        components: tuple[str, ...] = ()
    else:
        beside = wide_rows(modality, view, cohort, sources)
        rows = beside.rows
        columns = _in_fitted_order(columns, like, rows)
        vector, patient = _columns(beside, columns, like is None)
        components = tuple(columns)
    check_one_row(patient, rows)
    _tell_left_out(rows, choice, columns)
    receipt = rows.receipt(len(patient), must_have_rows=like is None)
    if like is not None and len(patient) and vector.shape[1] != like.width:
        raise SchemaError(
            f"modality {modality.name!r}: expected vectors of length {like.width} as fitted, got {vector.shape[1]} "
            f"in {view.label}"
        )
    if like is not None and not len(patient):
        vector = np.zeros((0, like.width), dtype=np.float32)
    fields = like or ModalityFields(
        modality.name,
        "embedding",
        width=vector.shape[1],
        scales=numeric_scales(vector, cohort.train[patient]),
        reading=Reading(components=components),
    )
    receipt.fitted = {"width": fields.width}
    return EmbeddingObservations(patient, vector), fields, receipt


def _in_fitted_order(columns: list[str], like: ModalityFields | None, rows: MatchedRows) -> list[str]:
    """The columns in the order of training: another export may sort them otherwise, ``e_10`` before ``e_2``.

    Columns of other names stay as they are, with a warning.
    """
    fitted = () if like is None or like.reading is None else like.reading.components
    if not fitted or columns == list(fitted):
        return columns
    if set(columns) == set(fitted):
        rows.notes.append("components were put in the order of training")
        return list(fitted)
    if len(columns) == len(fitted):
        here, there = next((now, before) for now, before in zip(columns, fitted) if now != before)
        text = (
            f"components are not called as in training ({cell_text(here)} where it had {cell_text(there)}) and are "
            "taken in the order given: if that is another order, or another model's vectors, all predictions are wrong"
        )
        rows.findings.append(Finding("reading", rows.modality.name, text))
    return columns


def _tell_left_out(rows: MatchedRows, choice: ColumnChoice, columns: list[str]) -> None:
    gone = [*choice.withheld, *(name for name in choice.columns if name not in columns)]
    if gone:
        text = f"{shown(gone, 10)} match the pattern of columns but are no components, and were left out"
        rows.findings.append(Finding("columns", rows.modality.name, text))


def _is_missing(cell: Any, missing: Sequence[object]) -> Any:
    """Whether a cell is declared missing; a list is where all its components are."""
    if not cell.type().is_array():
        return is_declared_missing(cell, missing)
    numbers = [number for number in map(parse_scalar, missing) if number is not None]
    measured = cell.filter(lambda component: ~component.cast("float64").isin(numbers))
    return ((cell.length() > 0) & (measured.length() == 0)).fill_null(False)


def _columns(rows: WideRows, columns: list[str], fitting: bool) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """One component per column."""
    missing = rows.rows.modality.missing
    label = f"modality {rows.rows.modality.name!r}: column {{!r}} of {rows.rows.view.label}"
    filled, measured = np.zeros(len(rows), bool), np.zeros(len(rows), bool)
    database = rows.rows.database
    taken = GrowingArray(np.float32, (len(rows),), database.folder)
    seen: set[str] = set()
    for cells in rows.cells(columns, missing, numbers_only=True):
        seen |= cells.declared()
        stored = check_stored(cells.number, label.format(cells.name), rows.owner)
        with database.reading(rows.rows.view.label):
            taken.append(stored[None])
        filled |= cells.filled
        measured |= cells.measured
    if fitting:
        rows.rows.declared_missing.note(rows.rows.modality.name, missing, seen)
    rows.drop_where(~filled, "blank vector")
    rows.drop_where(filled & ~measured, "vector is declared missing")
    with database.reading(rows.rows.view.label):
        components = taken.finish()
    _check_finite(components, measured, rows, columns)
    with database.reading(rows.rows.view.label):
        return by_row(components, measured, database.folder), rows.patient[measured]


def _lists(rows: MatchedRows, column: str) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """A list per row, or text that reads as one."""
    cell: Any = rows.table[column]
    rows.drop_where(cell.isnull(), "blank vector")
    if rows.modality.missing:
        rows.drop_where(_is_missing(cell, rows.modality.missing), "vector is declared missing")
    rows.materialize({"vector": cell})
    vectors = rows.table["vector"].try_cast("array<float64>")
    ordered = rows.table.select(PATIENT, vector=vectors).order_by(PATIENT)
    taken = _Vectors(rows.database.folder)
    with rows.database.reading(rows.view.label):
        for batch in rows.database.batches(ordered, _ROWS):
            taken.add(batch[PATIENT].to_numpy(zero_copy_only=False), batch["vector"])
        vector = taken.vector.finish()
    patient, lengths = (np.concatenate([np.zeros(0, np.int64), *parts]) for parts in (taken.patient, taken.lengths))
    if not len(lengths):
        return np.zeros((0, 0), dtype=np.float32), patient

    def owner(row: int) -> str:
        return rows.cohort.id[patient[row]]

    width = int(np.bincount(lengths[lengths >= 0]).argmax()) if (lengths >= 0).any() else 0
    wrong = [
        f"{owner(int(row))} ({'not a list of numbers' if lengths[row] < 0 else lengths[row]})"
        for row in np.flatnonzero(lengths != width)
    ]
    if wrong or not width:
        raise InputError(
            f"modality {rows.modality.name!r}: vectors in column {column!r} of {rows.view.label} must all have one "
            "length; most have "
            f"{width}, but {len(wrong)} differ: {shown(wrong)}. Recompute them with one model"
        )
    if taken.too_large:
        label = f"modality {rows.modality.name!r}: column {column!r} of {rows.view.label}"
        places = np.concatenate([place for place, _ in taken.too_large])
        check_stored(np.concatenate([values for _, values in taken.too_large]), label, lambda row: owner(places[row]))
    broken = np.concatenate(taken.broken)
    if len(broken):
        first = f"component {np.flatnonzero(~np.isfinite(vector[broken[0]]))[0]}"
        _refuse(rows, [owner(row) for row in broken], first)
    return vector, patient


class _Vectors:
    """Vectors that come piece by piece, and what is wrong with them; they end with the first one of another length."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._rows = folder, 0
        self.vector = GrowingArray(np.float32)
        self.patient: list[NDArray[np.int64]] = []
        self.lengths: list[NDArray[np.int64]] = []
        #: Rows with values that are infinite once stored, and all their values; rows with such or others not finite.
        self.too_large: list[tuple[NDArray[np.int64], NDArray[np.float64]]] = []
        self.broken: list[NDArray[np.int64]] = []
        self._alike = True

    def add(self, patient: NDArray[np.integer], vectors: pa.Array) -> None:
        """Takes the next rows: whose they are, and a list each or null; [n] both."""
        lengths = np.asarray(vectors.value_lengths().fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int64)
        if not len(lengths):
            return
        if not self.lengths and lengths[0] > 0:
            self.vector = GrowingArray(np.float32, (int(lengths[0]),), self._folder)
        self.patient.append(patient.astype(np.int64))
        self.lengths.append(lengths)
        width = int(self.lengths[0][0])
        self._alike &= width > 0 and bool((lengths == width).all())
        if not self._alike:
            return
        flat = np.asarray(vectors.flatten().to_numpy(zero_copy_only=False), dtype=np.float64).reshape(-1, width)
        with np.errstate(over="ignore"):
            stored = flat.astype(np.float32)
        broken = np.flatnonzero(~np.isfinite(stored).all(axis=1))
        large = broken[(np.isinf(stored[broken]) & np.isfinite(flat[broken])).any(axis=1)]
        if len(large):
            self.too_large.append((self._rows + large, np.where(np.isinf(flat[large]), np.nan, flat[large])))
        self.broken.append(self._rows + broken)
        self.vector.append(stored)
        self._rows += len(stored)


def _check_finite(
    components: NDArray[np.float32], measured: NDArray[np.bool_], rows: WideRows, columns: list[str]
) -> None:
    broken = np.zeros(len(rows), bool)
    for component in components:
        broken |= ~np.isfinite(component) & measured
    places = np.flatnonzero(broken)
    if len(places):
        column = columns[int(np.flatnonzero(~np.isfinite(components[:, places[0]]))[0])]
        cell = next(iter(rows.cells([column]))).shown(places[:1])[0]
        _refuse(rows.rows, [rows.owner(int(row)) for row in places], f"{column}, {cell_text(cell)}")


def _refuse(rows: MatchedRows, ids: list[str], first: str) -> None:
    raise InputError(
        f"modality {rows.modality.name!r}: {len(ids)} vectors of {rows.view.label} hold NaN, infinity, blanks "
        f"or text, of patients {shown(ids)} (first: {first}); recompute them, or leave those rows out with where"
    )
