"""Reading a modality of kind ``embedding``: one precomputed vector per patient."""

from __future__ import annotations

from typing import Any

import ibis
import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.audit import SourceReceipt
from gdsfd.cohort.cohort import EmbeddingObservations
from gdsfd.cohort.cohort_table import CohortRows
from gdsfd.cohort.column_choice import matching_columns
from gdsfd.cohort.fields import ModalityFields
from gdsfd.cohort.matching import PATIENT, Rows, match_rows
from gdsfd.cohort.one_row import check_one_row
from gdsfd.cohort.scales import numeric_scales
from gdsfd.cohort.sources import Sources, View
from gdsfd.cohort.spec import EmbeddingSpec
from gdsfd.cohort.values import as_number, is_declared_missing, parse_scalar
from gdsfd.errors import InputError, SchemaError, shown

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
    columns = matching_columns(view, modality.columns, f"columns of modality {modality.name!r}")
    rows = match_rows(modality, view, cohort, sources)
    listed = len(columns) == 1 and (
        rows.table[columns[0]].type().is_array() or rows.table[columns[0]].type().is_string()
    )
    blank = missing = ibis.literal(True)
    for column in columns:
        cell = rows.table[column]
        blank = blank & cell.isnull()
        missing = missing & (cell.isnull() | _is_missing(cell, modality))
    rows.drop(blank, "blank vector")
    if modality.missing:
        rows.drop(missing, "vector is declared missing")
    rows.settle({name: rows.table[name] for name in columns})
    check_one_row(rows)
    vector, patient = _lists(rows, columns[0]) if listed else _columns(rows, columns)
    _check_finite(vector, [cohort.id[row] for row in patient], rows, columns)
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


def _is_missing(cell: Any, modality: EmbeddingSpec) -> Any:
    """Whether a cell is declared missing; a list is where all its components are."""
    if not cell.type().is_array():
        return is_declared_missing(cell, modality.missing)
    numbers = [number for number in map(parse_scalar, modality.missing) if number is not None]
    measured = cell.filter(lambda component: ~component.cast("float64").isin(numbers))
    return ((cell.length() > 0) & (measured.length() == 0)).fill_null(False)


def _columns(rows: Rows, columns: list[str]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    cells = {f"v{k}": as_number(rows.table[name]) for k, name in enumerate(columns)}
    fetched = rows.fetch(rows.table.select(PATIENT, **cells).order_by(PATIENT))
    vector = np.stack([fetched[f"v{k}"].to_numpy() for k in range(len(columns))], axis=1).astype(np.float32)
    return vector, fetched[PATIENT].to_numpy().astype(np.int64)


def _lists(rows: Rows, column: str) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    cell: Any = rows.table[column]
    vectors = cell.try_cast("array<float64>")
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
    flat = np.asarray(combined.flatten().to_numpy(zero_copy_only=False), dtype=np.float32)
    return flat.reshape(len(ids), width), patient


def _check_finite(vector: NDArray[np.float32], ids: list[str], rows: Rows, columns: list[str]) -> None:
    broken = ~np.isfinite(vector)
    if not broken.any():
        return
    first = np.argwhere(broken)
    bad_rows = np.flatnonzero(broken.any(axis=1))
    listed = shown([ids[row] for row in bad_rows])
    component = columns[first[0][1]] if len(columns) > 1 else f"component {first[0][1]}"
    raise InputError(
        f"modality {rows.modality.name!r}: {len(bad_rows)} vectors of {rows.view.label} hold NaN, infinity, blanks "
        "or text, of patients "
        f"{listed} (first: {component}); recompute them, or leave those rows out with where"
    )
