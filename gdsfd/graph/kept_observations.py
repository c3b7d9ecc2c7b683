"""A batch of patients as if some of their modalities had not been recorded."""

from __future__ import annotations

from torch import Tensor

from gdsfd.cohort.modality_kind import kind_of
from gdsfd.cohort.schema import CohortSchema
from gdsfd.graph.patient_batch import PatientBatch
from gdsfd.graph.patient_graph import take_runs

__all__ = ["kept_observations"]


def kept_observations(batch: PatientBatch, schema: CohortSchema, kept: Tensor) -> PatientBatch:
    """The batch in which patients have only some of what they have.

    Args:
        batch: Some patients, as :class:`~gdsfd.graph.patient_store.PatientStore` gives them.
        schema: The graph's.
        kept: Which modalities each patient keeps; where there is none, nothing happens; bool [B, K].

    Returns:
        Another batch; it equals that of a graph without the observations left out
        (:func:`~gdsfd.graph.modality_ablation.hide_observations`).
    """
    stays = kept[batch.layout.patient, batch.layout.modality]
    observations = {}
    for number, fields in enumerate(schema.modalities):
        first, last = batch.layout.modality_ptr[number : number + 2].tolist()
        edges = stays[first:last].nonzero().squeeze(1)
        seen, kind = batch.observations[fields.name], kind_of(fields)
        taken = {key: seen[key].index_select(0, edges) for key in kind.rows}
        for pointer, keys in kind.packed.items():
            taken[pointer], cells = take_runs(seen[pointer], edges)
            for key in keys:
                taken[key] = seen[key].index_select(0, cells)
        observations[fields.name] = taken
    return PatientBatch(batch.rows, batch.layout.take(stays.nonzero().squeeze(1)), observations, batch.y)
