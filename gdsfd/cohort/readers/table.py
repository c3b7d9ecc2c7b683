"""Reading a modality of kind ``table``: at most one row per patient."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gdsfd.cohort.cohort import TableObservations
from gdsfd.cohort.columns.by_row import by_row
from gdsfd.cohort.columns.cells import Cells
from gdsfd.cohort.columns.column_choice import ColumnChoice, table_columns
from gdsfd.cohort.columns.column_types import ColumnType, type_of
from gdsfd.cohort.columns.missing_codes import CodedItem, coded_column, find_coded
from gdsfd.cohort.columns.scales import numeric_scales
from gdsfd.cohort.columns.single_precision import check_stored, loses_digits
from gdsfd.cohort.columns.unwanted_columns import Unwanted
from gdsfd.cohort.columns.wide_rows import WideRows, wide_rows
from gdsfd.cohort.keys.new_keys import judge_new_keys
from gdsfd.cohort.keys.spelling_findings import find_spellings, find_spellings_of_missing
from gdsfd.cohort.keys.whole_numbers import note_on_points, without_point
from gdsfd.cohort.patients.cohort_rows import CohortRows
from gdsfd.cohort.readers.matched_rows import MatchedRows, check_one_row
from gdsfd.cohort.receipt.receipt import Finding, SourceReceipt
from gdsfd.cohort.schema import LEVEL_MISSING, LEVEL_UNSEEN, ModalityFields
from gdsfd.cohort.sources.sources import Sources, View
from gdsfd.cohort.spec import TableSpec
from gdsfd.errors import InputError, SchemaError, near_names, shown
from gdsfd.large_arrays import GrowingArray

__all__ = ["read_table"]

_MAX_LEVELS = 100
_USUAL_LEVEL_COUNT = TableSpec.model_fields["min_level_count"].default


@dataclass
class _Taken:
    """The columns taken so far: values as stored and numbers of levels, a column after the other; names; levels; which
    values that are declared missing a cell has; columns with numbers that may stand for "not measured".
    """

    values: GrowingArray
    codes: GrowingArray
    numeric: list[str] = field(default_factory=list)
    categorical: list[str] = field(default_factory=list)
    levels: list[tuple[str, ...]] = field(default_factory=list)
    level_counts: list[tuple[int, ...]] = field(default_factory=list)
    declared: set[str] = field(default_factory=set)
    coded: list[CodedItem] = field(default_factory=list)


def read_table(
    modality: TableSpec, view: View, cohort: CohortRows, sources: Sources, like: ModalityFields | None = None
) -> tuple[TableObservations, ModalityFields, SourceReceipt]:
    """Reads one table modality.

    An observation exists where at least one of the columns is measured; a row with none is dropped and counted. The
    columns are read a few at a time, so that any number of them fits.

    Args:
        modality: The spec's entry.
        view: Its source.
        cohort: The patients.
        sources: Where tables are opened.
        like: Fitted columns and levels to use instead of fitting.

    Raises:
        InputError: Two rows of a patient, text in a numeric column, a number too large to store, nothing left.
        SchemaError: A column of ``like`` is missing.
    """
    if like is None:
        choice = table_columns(view, modality, cohort.own_columns)
    else:
        names = _columns_like(view, modality, like)
        choice = ColumnChoice(names, frozenset(names), [])
        modality = modality.model_copy(
            update={"numeric": list(like.numeric), "categorical": list(like.categorical), "exclude": []}
        )
    rows = wide_rows(modality, view, cohort, sources)
    taken = _read(rows, choice, modality, cohort, like)
    if like is None and not taken.categorical and modality.min_level_count != _USUAL_LEVEL_COUNT:
        rows.rows.notes.append(f"min_level_count = {modality.min_level_count} says nothing here: no column has levels")
    with rows.rows.database.reading(view.label):
        values, codes = taken.values.finish(), taken.codes.finish()
    del taken.values, taken.codes
    seen = np.zeros(len(rows), bool)
    for column in values:
        seen |= ~np.isnan(column)
    for column in codes:
        seen |= column != LEVEL_MISSING
    rows.drop_where(~seen, "no measured value in the chosen columns")
    patient = rows.patient[seen]
    check_one_row(patient, rows.rows)
    with rows.rows.database.reading(view.label):
        numeric = by_row(values, seen, rows.rows.database.folder)
        del values
        observed = TableObservations(patient, numeric, by_row(codes, seen, rows.rows.database.folder))
    receipt = rows.rows.receipt(len(patient), must_have_rows=like is None)
    fields = like or ModalityFields(
        modality.name,
        "table",
        numeric=tuple(taken.numeric),
        categorical=tuple(taken.categorical),
        levels=tuple(taken.levels),
        level_counts=tuple(taken.level_counts),
        scales=numeric_scales(numeric, cohort.train[patient]),
    )
    receipt.fitted = {"numeric": len(fields.numeric), "categorical": len(fields.categorical)}
    return observed, fields, receipt


def _read(
    rows: WideRows, choice: ColumnChoice, modality: TableSpec, cohort: CohortRows, like: ModalityFields | None
) -> _Taken:
    """Each column in turn: what it is, and its values as they are stored."""
    folder, notes = rows.rows.database.folder, rows.rows.notes
    taken = _Taken(
        GrowingArray(np.float32, (len(rows),), folder),
        GrowingArray(np.int64, (len(rows),), folder),
    )
    told, noted = len(rows.rows.findings), len(notes)
    train = cohort.train[rows.patient]
    unwanted = Unwanted(rows, choice, cohort)
    fitted = {} if like is None else dict(zip(like.categorical, like.levels))
    counted = {} if like is None else dict(zip(like.categorical, like.level_counts))
    for cells in rows.cells(choice.columns, modality.missing, as_text=modality.categorical):
        name, by_name = cells.name, cells.name in choice.by_name
        if like is None and unwanted.is_left_out(cells):
            continue
        taken.declared |= cells.declared()
        kind = type_of(cells, rows, modality, by_name)
        if kind.kind == "left out":
            _tell(rows, name, kind.why) if by_name else notes.append(f"column {name!r} {kind.why}")
        elif kind.kind == "numeric":
            taken.numeric.append(name)
            taken.coded += [item for item in [coded_column(name, cells.values)] if item is not None]
            _append(taken.values, _stored(cells, rows, modality, kind, fitting=like is None), rows)
        else:
            if kind.warning:
                _tell(rows, name, kind.warning)
            text = _one_spelling(name, cells.text(), () if like is None else fitted[name], rows.rows)
            if like is None:
                levels, counts = _fit_levels(name, text, train, modality, rows.rows)
                taken.level_counts.append(counts)
            else:
                levels = _levels_like(name, text, fitted[name], counted.get(name, ()), rows.rows)
            taken.categorical.append(name)
            taken.levels.append(levels)
            _append(taken.codes, _level_codes(text, levels), rows)
    unwanted.tell()
    if like is None:
        rows.rows.declared_missing.note(modality.name, modality.missing, taken.declared)
    rows.rows.findings += find_coded(modality.name, taken.coded, "column")
    if len(rows) and not taken.numeric and not taken.categorical:
        why = [f"{finding.where}: {finding.text}" for finding in rows.rows.findings[told:]]
        raise InputError(
            f"modality {modality.name!r}: no column of {rows.rows.view.label} is left to take; "
            + "; ".join([*why, *notes[noted:]][:5])
        )
    return taken


def _stored(cells: Cells, rows: WideRows, modality: TableSpec, kind: ColumnType, fitting: bool) -> NDArray[np.float32]:
    what = f"modality {modality.name!r}: column {cells.name!r} of {rows.rows.view.label}"
    values = check_stored(cells.values, what, rows.owner)
    lost = loses_digits(cells.values) if fitting else None
    if lost is not None:
        _tell(
            rows,
            cells.name,
            f"its {lost[0]:,} different values are {lost[1]:,} once stored in single precision (seven digits); derive "
            "a smaller number (a difference, a part), or list it under categorical or exclude",
        )
    if kind.warning and fitting:
        _tell(rows, cells.name, kind.warning)
    return values


def _tell(rows: WideRows, column: str, what: str) -> None:
    rows.rows.findings.append(Finding("columns", f"{rows.rows.modality.name}.{column}", what))


def _columns_like(view: View, modality: TableSpec, like: ModalityFields) -> list[str]:
    columns = [*like.numeric, *like.categorical]
    for name in columns:
        if name not in view.columns:
            raise SchemaError(
                f"modality {modality.name!r}: {view.label} has no column {name!r}, which the fitted schema needs."
                f"{near_names(name, view.columns)}"
            )
    return columns


def _one_spelling(name: str, column: pd.Series, known: tuple[str, ...], rows: MatchedRows) -> pd.Series:
    """The cells with one spelling per whole number: the fitted one, or the more frequent."""
    counts = {str(level): int(count) for level, count in column.value_counts().items()}
    merged = without_point(counts, known)
    if not merged:
        return column
    rows.notes.append(f"column {name!r}: {note_on_points(merged, counts, 'levels')}")
    return column.where(~column.isin([*merged]), column.map(merged))


def _fit_levels(
    name: str, column: pd.Series, train: NDArray[np.bool_], modality: TableSpec, rows: MatchedRows
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Levels of a categorical column by train frequency, ties by name, and the train rows of each."""
    counts = column[train].value_counts(sort=False)
    everywhere = {str(level): int(count) for level, count in column.value_counts().items()}
    where = f"{modality.name}.{name}"
    rows.findings += find_spellings(where, everywhere, "levels")
    rows.findings += find_spellings_of_missing(where, everywhere, "levels", modality.missing)
    ordered = sorted(((level, int(count)) for level, count in counts.items()), key=lambda pair: (-pair[1], pair[0]))
    frequent = [level for level, count in ordered if count >= modality.min_level_count]
    if len(ordered) > len(frequent[:_MAX_LEVELS]):
        rows.notes.append(
            f"column {name!r}: {len(ordered) - len(frequent[:_MAX_LEVELS])} of {len(ordered)} levels are rare in "
            "train and count as unseen"
        )
    kept = ordered[: len(frequent[:_MAX_LEVELS])]
    return tuple(str(level) for level, _ in kept), tuple(count for _, count in kept)


def _levels_like(
    name: str, column: pd.Series, levels: tuple[str, ...], trained: tuple[int, ...], rows: MatchedRows
) -> tuple[str, ...]:
    """The fitted levels; others are told, or refused where they are fitted ones in another spelling."""
    counts = {str(level): int(count) for level, count in column.value_counts().items()}
    where = f"{rows.modality.name}.{name}"
    rows.findings += judge_new_keys(where, counts, levels, "levels", column=name, trained=trained)
    new = column[column.notna() & ~column.isin(levels)]
    if len(new):
        rows.notes.append(
            f"column {name!r}: {len(new)} of {int(column.notna().sum())} levels were rare in training or not there "
            f"and count as unseen ({shown(sorted(new.unique()))})"
        )
    return levels


def _level_codes(column: pd.Series, levels: tuple[str, ...]) -> NDArray[np.int64]:
    found = (
        pd.Index(levels, dtype=object).get_indexer(pd.Index(column, dtype=object))
        if levels
        else np.full(len(column), -1)
    )
    return np.where(column.isna(), LEVEL_MISSING, np.where(found < 0, LEVEL_UNSEEN, found + 2)).astype(np.int64)


def _append(columns: GrowingArray, column: NDArray[Any], rows: WideRows) -> None:
    with rows.rows.database.reading(rows.rows.view.label):
        columns.append(column[None])
