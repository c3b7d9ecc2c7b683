"""Reading a modality of kind ``embedding``: one precomputed vector per patient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.cohort import EmbeddingObservations
from gdsfd.cohort.columns.column_choice import ColumnChoice, matching_columns
from gdsfd.cohort.columns.scales import numeric_scales
from gdsfd.cohort.columns.single_precision import check_stored
from gdsfd.cohort.columns.unwanted_columns import known_as_row_number
from gdsfd.cohort.columns.wide_rows import WideRows, wide_rows
from gdsfd.cohort.keys.spellings import parse_scalar
from gdsfd.cohort.patients.cohort_table import CohortRows
from gdsfd.cohort.readers.matched_rows import PATIENT, MatchedRows, check_one_row, match_rows
from gdsfd.cohort.receipt.receipt import Finding, SourceReceipt
from gdsfd.cohort.schema import ModalityFields
from gdsfd.cohort.sources.sources import Sources, View
from gdsfd.cohort.sources.values import is_declared_missing
from gdsfd.cohort.spec import EmbeddingSpec
from gdsfd.errors import InputError, SchemaError, cell_text, shown

__all__ = ["read_embedding"]


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
    else:
        beside = wide_rows(modality, view, cohort, sources)
        rows = beside.rows
        vector, patient = _columns(beside, columns)
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
        modality.name, "embedding", width=vector.shape[1], scales=numeric_scales(vector[cohort.train[patient]])
    )
    receipt.fitted = {"width": fields.width}
    return EmbeddingObservations(patient, vector), fields, receipt


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


def _columns(rows: WideRows, columns: list[str]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """One component per column."""
    missing = rows.rows.modality.missing
    label = f"modality {rows.rows.modality.name!r}: column {{!r}} of {rows.rows.view.label}"
    vector = np.empty((len(rows), len(columns)), np.float32)
    filled, measured = np.zeros(len(rows), bool), np.zeros(len(rows), bool)
    for place, cells in enumerate(rows.cells(columns, missing, numbers_only=True)):
        vector[:, place] = check_stored(cells.number, label.format(cells.name), rows.owner)
        filled |= cells.filled
        measured |= cells.measured
    rows.drop_where(~filled, "blank vector")
    rows.drop_where(filled & ~measured, "vector is declared missing")
    _check_finite(vector, measured, rows, columns)
    return vector[measured], rows.patient[measured]


def _lists(rows: MatchedRows, column: str) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """A list per row, or text that reads as one."""
    cell: Any = rows.table[column]
    rows.drop_where(cell.isnull(), "blank vector")
    if rows.modality.missing:
        rows.drop_where(_is_missing(cell, rows.modality.missing), "vector is declared missing")
    rows.materialize({"vector": cell})
    vectors = rows.table["vector"].try_cast("array<float64>")
    fetched = rows.fetch(rows.table.select(PATIENT, vector=vectors).order_by(PATIENT))
    patient = fetched[PATIENT].to_numpy().astype(np.int64)
    ids = [rows.cohort.id[row] for row in patient]
    combined = fetched["vector"].combine_chunks()
    lengths = np.asarray(combined.value_lengths().fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int64)
    if not len(lengths):
        return np.zeros((0, 0), dtype=np.float32), patient
    width = int(np.bincount(lengths[lengths >= 0]).argmax()) if (lengths >= 0).any() else 0
    wrong = [
        f"{ids[row]} ({'not a list of numbers' if lengths[row] < 0 else lengths[row]})"
        for row in np.flatnonzero(lengths != width)
    ]
    if wrong or not width:
        raise InputError(
            f"modality {rows.modality.name!r}: vectors in column {column!r} of {rows.view.label} must all have one "
            "length; most have "
            f"{width}, but {len(wrong)} differ: {shown(wrong)}. Recompute them with one model"
        )
    flat = np.asarray(combined.flatten().to_numpy(zero_copy_only=False), dtype=np.float64).reshape(len(ids), width)
    label = f"modality {rows.modality.name!r}: column {column!r} of {rows.view.label}"
    vector = check_stored(np.where(np.isinf(flat), np.nan, flat), label, lambda row: ids[row])
    broken = ~np.isfinite(vector)
    if broken.any():
        first = f"component {np.argwhere(broken)[0][1]}"
        _refuse(rows, [ids[row] for row in np.flatnonzero(broken.any(axis=1))], first)
    return vector, patient


def _check_finite(vector: NDArray[np.float32], measured: NDArray[np.bool_], rows: WideRows, columns: list[str]) -> None:
    broken = ~np.isfinite(vector) & measured[:, None]
    places = np.flatnonzero(broken.any(axis=1))
    if len(places):
        column = columns[int(np.flatnonzero(broken[places[0]])[0])]
        cell = next(iter(rows.cells([column]))).shown(places[:1])[0]
        _refuse(rows.rows, [rows.owner(int(row)) for row in places], f"{column}, {cell_text(cell)}")


def _refuse(rows: MatchedRows, ids: list[str], first: str) -> None:
    raise InputError(
        f"modality {rows.modality.name!r}: {len(ids)} vectors of {rows.view.label} hold NaN, infinity, blanks "
        f"or text, of patients {shown(ids)} (first: {first}); recompute them, or leave those rows out with where"
    )
