"""A batch of patients as if one column had never been recorded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from gdsfd.cohort.modality_kind import kind_of
from gdsfd.cohort.schema import LEVEL_MISSING, CohortSchema, ModalityFields
from gdsfd.graph.patient_batch import PatientBatch

__all__ = ["Column", "columns_of", "mask_column"]

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
    """The batch with a column hidden: not measured, or (a vector's component, which is never missing) its median.

    The observation itself stays, as an empty one if it held nothing else: only what the column says is taken away.

    Args:
        batch: Some patients.
        column: What to hide.

    Returns:
        Another batch that shares all other tensors.
    """
    name, place = column.modality.name, column.place
    seen = dict(batch.observations[name])
    if column.part == "numeric":
        seen["numeric"] = _with(seen["numeric"], place, float("nan"))
    elif column.part == "categorical":
        seen["categorical"] = _with(seen["categorical"], place, LEVEL_MISSING)
    elif column.part == "component":
        quantiles = column.modality.scales[place].quantiles
        seen["vector"] = _with(seen["vector"], place, quantiles[len(quantiles) // 2])
    elif column.part == "item":
        _drop(seen, "run_ptr", ("step", "item", "value"), seen["item"] != place)
        _drop(seen, "summary_ptr", ("summary_item", "summary"), seen["summary_item"] != place)
    else:
        _drop(seen, "run_ptr", ("code",), seen["code"] != place + 2)
    return PatientBatch(batch.rows, batch.layout, {**batch.observations, name: seen}, batch.y)


def _with(values: Tensor, column: int, value: float) -> Tensor:
    changed = values.clone()
    changed[:, column] = value
    return changed


def _drop(seen: dict[str, Tensor], pointer: str, keys: tuple[str, ...], kept: Tensor) -> None:
    """Keeps some cells of packed runs, in place of the former ones."""
    before = torch.cat([kept.new_zeros(1, dtype=torch.long), kept.long().cumsum(0)])
    seen[pointer] = before[seen[pointer]].to(seen[pointer].dtype)
    for key in keys:
        seen[key] = seen[key][kept]
