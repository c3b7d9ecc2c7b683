"""Reading a modality of kind ``table``: at most one row per patient."""

from __future__ import annotations

from typing import Any

import ibis
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gdsfd.cohort.audit import SourceReceipt
from gdsfd.cohort.cohort import TableObservations
from gdsfd.cohort.cohort_table import CohortRows
from gdsfd.cohort.column_choice import table_columns
from gdsfd.cohort.column_types import ColumnTypes, infer_types, measured, truth_or_number
from gdsfd.cohort.fields import LEVEL_MISSING, LEVEL_UNSEEN, ModalityFields
from gdsfd.cohort.matching import PATIENT, Rows, match_rows
from gdsfd.cohort.one_row import check_one_row
from gdsfd.cohort.scales import numeric_scales
from gdsfd.cohort.sources import Sources, View
from gdsfd.cohort.spec import TableSpec
from gdsfd.cohort.values import as_text
from gdsfd.errors import SchemaError, near_names, shown

__all__ = ["read_table"]

_MAX_LEVELS = 100


def read_table(
    modality: TableSpec, view: View, cohort: CohortRows, sources: Sources, like: ModalityFields | None = None
) -> tuple[TableObservations, ModalityFields, SourceReceipt]:
    """Reads one table modality.

    An observation exists where at least one of the columns is measured; a row with none is dropped and counted.

    Args:
        modality: The spec's entry.
        view: Its source.
        cohort: The patients.
        sources: Where tables are opened.
        like: Fitted columns and levels to use instead of fitting.

    Raises:
        InputError: Two rows of a patient, text in a numeric column, nothing left.
        SchemaError: A column of ``like`` is missing.
    """
    if like is None:
        columns, by_default = table_columns(view, modality, cohort.own_columns)
    else:
        columns, by_default = _columns_like(view, modality, like), False
    rows = match_rows(modality, view, cohort, sources)
    rows.settle({name: rows.table[name] for name in columns})
    types = infer_types(rows, modality, columns, by_default) if like is None else _types_like(rows, modality, like)
    cells = {
        **{f"n{k}": truth_or_number(measured(rows.table[name], modality)) for k, name in enumerate(types.numeric)},
        **{f"c{k}": as_text(measured(rows.table[name], modality)) for k, name in enumerate(types.categorical)},
    }
    none = ibis.literal(True)
    for cell in cells.values():
        none = none & cell.isnull()
    rows.drop(none, "no measured value in the chosen columns")
    rows.settle(cells)
    check_one_row(rows)
    fetched = rows.fetch(rows.table.order_by(PATIENT))
    patient = fetched[PATIENT].to_numpy().astype(np.int64)
    numeric = _matrix([fetched[f"n{k}"].to_numpy() for k in range(len(types.numeric))], len(patient), np.float32)
    text = [fetched[f"c{k}"].to_pandas() for k in range(len(types.categorical))]
    train = cohort.train[patient]
    levels = _fit_levels(text, train, types, modality, rows) if like is None else _levels_like(text, like, rows)
    categorical = _matrix([_level_codes(column, found) for column, found in zip(text, levels)], len(patient), np.int64)
    receipt = rows.receipt(len(patient), must_have_rows=like is None)
    fields = like or ModalityFields(
        modality.name,
        "table",
        numeric=tuple(types.numeric),
        categorical=tuple(types.categorical),
        levels=tuple(levels),
        scales=numeric_scales(numeric[train]),
    )
    receipt.fitted = {"numeric": len(fields.numeric), "categorical": len(fields.categorical)}
    return TableObservations(patient, numeric, categorical), fields, receipt


def _columns_like(view: View, modality: TableSpec, like: ModalityFields) -> list[str]:
    columns = [*like.numeric, *like.categorical]
    for name in columns:
        if name not in view.columns:
            raise SchemaError(
                f"modality {modality.name!r}: {view.label} has no column {name!r}, which the fitted schema needs."
                f"{near_names(name, view.columns)}"
            )
    return columns


def _types_like(rows: Rows, modality: TableSpec, like: ModalityFields) -> ColumnTypes:
    """The fitted types, once the cells of numeric columns are known to be numbers."""
    numeric = modality.model_copy(update={"numeric": list(like.numeric), "categorical": []})
    infer_types(rows, numeric, list(like.numeric), by_default=False)
    return ColumnTypes(list(like.numeric), list(like.categorical))


def _fit_levels(
    text: list[pd.Series], train: NDArray[np.bool_], types: ColumnTypes, modality: TableSpec, rows: Rows
) -> list[tuple[str, ...]]:
    """Levels of each categorical column by train frequency, ties by name."""
    levels = []
    for name, column in zip(types.categorical, text):
        counts = column[train].value_counts(sort=False)
        ordered = sorted(((level, int(count)) for level, count in counts.items()), key=lambda pair: (-pair[1], pair[0]))
        frequent = [level for level, count in ordered if count >= modality.min_level_count]
        if len(ordered) > len(frequent[:_MAX_LEVELS]):
            rows.notes.append(
                f"column {name!r}: {len(ordered) - len(frequent[:_MAX_LEVELS])} of {len(ordered)} levels are rare in "
                "train and count as unseen"
            )
        levels.append(tuple(str(level) for level in frequent[:_MAX_LEVELS]))
    return levels


def _levels_like(text: list[pd.Series], like: ModalityFields, rows: Rows) -> list[tuple[str, ...]]:
    """The fitted levels; others that patients have are told."""
    for name, column, levels in zip(like.categorical, text, like.levels):
        new = column[column.notna() & ~column.isin(levels)]
        if len(new):
            rows.notes.append(
                f"column {name!r}: {len(new)} of {int(column.notna().sum())} levels were rare in training or not there "
                f"and count as unseen ({shown(sorted(new.unique()))})"
            )
    return list(like.levels)


def _level_codes(column: pd.Series, levels: tuple[str, ...]) -> NDArray[np.int64]:
    found = (
        pd.Index(levels, dtype=object).get_indexer(pd.Index(column, dtype=object))
        if levels
        else np.full(len(column), -1)
    )
    return np.where(column.isna(), LEVEL_MISSING, np.where(found < 0, LEVEL_UNSEEN, found + 2)).astype(np.int64)


def _matrix(columns: list[Any], rows: int, dtype: type) -> NDArray[Any]:
    return np.stack(columns, axis=1).astype(dtype) if columns else np.zeros((rows, 0), dtype=dtype)
