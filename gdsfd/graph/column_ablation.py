"""A batch of patients as if single columns had never been recorded, of all of them or of some."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gdsfd.cohort.modality_kind import kind_of
from gdsfd.cohort.schema import LEVEL_MISSING, CohortSchema, ModalityFields
from gdsfd.graph.patient_batch import PatientBatch

__all__ = ["Column", "columns_of", "has_cells", "mask_column", "without_cells"]

#: Part -> the array that holds it.
_ARRAYS = {
    "numeric": "numeric",
    "categorical": "categorical",
    "item": "summary_item",
    "code": "code",
    "component": "vector",
}


@dataclass(frozen=True)
class Column:
    """One column, item, code or vector component.

    Args:
        modality: Its modality.
        place: Its number among the columns of its part.
        part: ``numeric``, ``categorical``, ``item``, ``code`` or ``component``.
        name: Its name in the data; of a component its number.
    """

    modality: ModalityFields
    place: int
    part: str
    name: str


def columns_of(schema: CohortSchema) -> Iterator[Column]:
    """Every column of a schema that :func:`mask_column` can hide, modality by modality; a plug-in's kind has none."""
    for fields in schema.modalities:
        arrays = kind_of(fields).keys
        components = [str(number) for number in range(fields.width)]
        for part, names in (
            ("numeric", fields.numeric),
            ("categorical", fields.categorical),
            ("item", fields.items),
            ("code", fields.codes),
            ("component", components),
        ):
            for place, name in enumerate(names if _ARRAYS[part] in arrays else ()):
                yield Column(fields, place, part, name)


def mask_column(batch: PatientBatch, column: Column) -> PatientBatch:
    """The batch with a column hidden in every patient; see :func:`without_cells`."""
    return without_cells(batch, [column], torch.ones(len(batch), 1, dtype=torch.bool))


def has_cells(batch: PatientBatch, columns: Sequence[Column]) -> Tensor:
    """Whether each patient has a value in each column: a number, a level, an item at any time, a code; bool [B, C].

    Args:
        batch: Some patients.
        columns: Columns of the batch's schema; C of them.
    """
    found = torch.zeros(len(batch), len(columns), dtype=torch.bool)
    for name, number, places in _by_modality(batch, columns):
        owner, seen = _owner(batch, number), batch.observations[name]
        for place in places:
            column = columns[place]
            if column.part == "numeric":
                there = owner[seen["numeric"][:, column.place].isfinite()]
            elif column.part == "categorical":
                there = owner[seen["categorical"][:, column.place] != LEVEL_MISSING]
            elif column.part == "component":
                there = owner
            else:
                pointer, key, own = _RUNS[column.part]
                there = owner[_run(seen[pointer])[seen[key] == column.place + own]]
            found[there, place] = True
    return found


def without_cells(batch: PatientBatch, columns: Sequence[Column], hidden: Tensor) -> PatientBatch:
    """The batch with some patients' values in some columns hidden: not measured, or (a vector's component) its median.

    The observation itself stays, as an empty one if it held nothing else: only what the column says is taken away.

    Args:
        batch: Some patients.
        columns: Columns of the batch's schema; C of them.
        hidden: What to hide; where there is no value nothing happens; bool [B, C].

    Returns:
        Another batch that shares all other tensors.
    """
    changed = dict(batch.observations)
    for name, number, places in _by_modality(batch, columns):
        seen = dict(changed[name])
        flags = hidden[_owner(batch, number)]  # [E, C]
        for place in places:
            column, gone = columns[place], flags[:, place]
            if not gone.any():
                continue
            if column.part == "numeric":
                seen["numeric"] = _with(seen["numeric"], column.place, gone, float("nan"))
            elif column.part == "categorical":
                seen["categorical"] = _with(seen["categorical"], column.place, gone, LEVEL_MISSING)
            elif column.part == "component":
                quantiles = column.modality.scales[column.place].quantiles
                seen["vector"] = _with(seen["vector"], column.place, gone, quantiles[len(quantiles) // 2])
        for part in ("item", "code"):
            own = [place for place in places if columns[place].part == part]
            if own and flags[:, own].any():
                pairs = {columns[place].place: flags[:, place] for place in own}
                for pointer, key, first, keys in _PACKED[part]:
                    _drop(seen, pointer, key, keys, {number + first: gone for number, gone in pairs.items()})
        changed[name] = seen
    return PatientBatch(batch.rows, batch.layout, changed, batch.y)


#: Part -> pointer and array that tell whether a patient has it, and what its numbers begin with.
_RUNS = {"item": ("summary_ptr", "summary_item", 0), "code": ("run_ptr", "code", 2)}
#: Part -> pointer, array of numbers, what these begin with, and all arrays of the packed runs it is in.
_PACKED = {
    "item": (
        ("run_ptr", "item", 0, ("step", "item", "value")),
        ("summary_ptr", "summary_item", 0, ("summary_item", "summary")),
    ),
    "code": (("run_ptr", "code", 2, ("code",)),),
}


def _by_modality(batch: PatientBatch, columns: Sequence[Column]) -> Iterator[tuple[str, int, list[int]]]:
    """Name and number of the modalities that columns are of, and the columns' places."""
    for number, name in enumerate(batch.observations):
        places = [place for place, column in enumerate(columns) if column.modality.name == name]
        if places:
            yield name, number, places


def _owner(batch: PatientBatch, number: int) -> Tensor:
    """The patient of each observation of a modality; int64 [E]."""
    first, last = batch.layout.modality_ptr[number : number + 2].tolist()
    return batch.layout.patient[first:last]


def _run(pointer: Tensor) -> Tensor:
    """The observation of each packed value."""
    return torch.repeat_interleave(torch.arange(pointer.numel() - 1), pointer.diff())


def _with(values: Tensor, column: int, rows: Tensor, value: float) -> Tensor:
    changed = values.clone()
    changed[rows, column] = value
    return changed


def _drop(seen: dict[str, Tensor], pointer: str, key: str, keys: tuple[str, ...], gone: Mapping[int, Tensor]) -> None:
    """Takes packed values of some numbers out of some observations' runs."""
    numbers, run = seen[key], _run(seen[pointer])
    kept = torch.ones(numbers.numel(), dtype=torch.bool)
    for number, rows in gone.items():
        kept &= ~((numbers == number) & rows[run])
    before = torch.cat([kept.new_zeros(1, dtype=torch.long), kept.long().cumsum(0)])
    seen[pointer] = before[seen[pointer]].to(seen[pointer].dtype)
    for each in keys:
        seen[each] = seen[each][kept]
