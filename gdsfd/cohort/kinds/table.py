"""Kind ``table``: at most one row per patient, numeric and categorical columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.checks.candidates import MEASURED, UNNAMED, Flags, Ranked, flag_all
from gdsfd.cohort.cohort import TableObservations
from gdsfd.cohort.columns.by_column import by_column
from gdsfd.cohort.kinds.flat import rows_for
from gdsfd.cohort.modality_kind import MODALITY_KINDS, Arrays, Block, ModalityKind, Range, Values
from gdsfd.cohort.schema import LEVEL_MISSING, LEVEL_UNSEEN, ModalityFields
from gdsfd.errors import cell_text

__all__ = ["TABLE"]


def _flatten(fields: ModalityFields, arrays: Arrays, edges: NDArray[np.int64]) -> Iterator[Block]:
    """Numeric columns as they are; one 0/1 column per level, NaN where the category was not measured."""
    if fields.numeric:
        yield rows_for(arrays["numeric"], edges), [f"{fields.name}.{column}" for column in fields.numeric]
    for column, (name, levels) in enumerate(zip(fields.categorical, fields.levels)):
        cells = np.full(len(edges), LEVEL_MISSING, dtype=np.int64)
        there = edges >= 0
        cells[there] = arrays["categorical"][:, column][edges[there]]
        numbers = [LEVEL_UNSEEN, *range(2, len(levels) + 2)]
        block = (cells[:, None] == np.array(numbers)).astype(np.float32)
        block[cells == LEVEL_MISSING] = np.nan
        yield block, [f"{fields.name}.{name}={level}" for level in ("(other)", *levels)]


def _needs(needs: Any, modality: Any, like: ModalityFields | None) -> None:
    needs.add_choice(modality.columns, modality.exclude)
    needs.add(*modality.numeric, *modality.categorical)


def _column(fields: ModalityFields, arrays: Arrays, column: str) -> NDArray[Any]:
    if column in fields.categorical:
        return arrays["categorical"][:, fields.categorical.index(column)]
    return arrays["numeric"][:, fields.numeric.index(column)]


def _content(fields: ModalityFields, arrays: Arrays, total: int) -> NDArray[np.float64]:
    """Numeric columns, and one 0/1 column per level."""
    levels = [
        (arrays["categorical"][:, [column]] == np.arange(2, 2 + len(names))[None]).astype(float)
        for column, names in enumerate(fields.levels)
    ]
    return np.concatenate([arrays["numeric"].astype(np.float64), *levels], axis=1)


def _cells(fields: ModalityFields) -> tuple[list[str], list[str]]:
    levels = [
        f"{column} = {level}"
        for column, known in zip(fields.categorical, fields.levels)
        for level in ("[unseen]", *known)
    ]
    return list(fields.numeric), levels


def _candidates(fields: ModalityFields, found: TableObservations, owner: NDArray[np.int64]) -> Iterator[Ranked | Flags]:
    kept = owner >= 0
    owner = owner[kept]
    for name, values in zip(fields.numeric, by_column(found.numeric, kept), strict=True):
        measured = ~np.isnan(values)
        where = f"{fields.name}.{name}"
        yield Ranked(where, "", values[measured], owner[measured])
        yield flag_all(where, MEASURED, owner[measured])
    for name, known, numbers in zip(fields.categorical, fields.levels, by_column(found.categorical, kept), strict=True):
        measured = numbers > LEVEL_MISSING
        where = f"{fields.name}.{name}"
        levels = [UNNAMED[0], *(f"level {cell_text(level)}" for level in known)]
        yield Flags(where, levels, numbers[measured] - 1, owner[measured])
        yield flag_all(where, MEASURED, owner[measured])


def _ranges(fields: ModalityFields, found: TableObservations) -> Iterator[Range]:
    for position, values in enumerate(by_column(found.numeric)):
        yield fields.numeric[position], values[~np.isnan(values), None], fields.scales[position : position + 1]


TABLE = ModalityKind(
    name="table",
    spec="gdsfd.cohort.spec:TableSpec",
    reader="gdsfd.cohort.readers.table:read_table",
    rows={
        "numeric": Values(lambda fields: (len(fields.numeric),), may_miss=True),
        "categorical": Values(
            lambda fields: (len(fields.categorical),), below=lambda fields: [len(names) + 2 for names in fields.levels]
        ),
    },
    flatten=_flatten,
    describe=lambda fields: f"{len(fields.numeric):,} numeric, {len(fields.categorical):,} categorical",
    needs=_needs,
    columns=lambda fields: (*fields.numeric, *fields.categorical),
    column=_column,
    content=_content,
    cells=_cells,
    candidates=_candidates,
    ranges=_ranges,
)
MODALITY_KINDS.register("table")(TABLE)
