"""A cohort's arrays as a PyG graph."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch_geometric.data import HeteroData

from gdsfd.cohort.cohort import Cohort, arrays_of
from gdsfd.graph.patient_graph import PatientGraph

__all__ = ["FOLLOW_UP", "edge_type", "graph_from_cohort"]

#: What patients of a survival outcome have beside ``y``: how long they were followed, and whether to the event.
FOLLOW_UP = ("follow_up", "event")


def edge_type(modality: str) -> tuple[str, str, str]:
    """The graph's edge type of a modality."""
    return ("patient", modality, "modality")


def graph_from_cohort(cohort: Cohort) -> HeteroData:
    """Builds the patient-modality graph.

    Node types are ``patient`` (one per row of the cohort, also those with nothing observed) and ``modality``. Every
    modality has its own edge type ``("patient", <name>, "modality")``, also when nobody has it; an edge is one
    observation and carries its raw values under the keys of :class:`~gdsfd.graph.patient_batch.PatientBatch`. A
    modality that a patient lacks is an absent edge.

    Args:
        cohort: What ingestion made. Its arrays are taken over without a copy where they are writable.

    Returns:
        The graph. Beside PyG's fields it has ``graph["patient"].id``, ``.subject``, ``.split``, ``.groups``, ``.y``
        and, when declared, ``.environment``; of a survival outcome ``.follow_up`` (float64 [N], NaN = unlabelled) and
        ``.event`` (float32 [N], 1 = event, 0 = censored); and ``graph.schema``, ``graph.receipt``, ``graph.spec``.
        Every store carries ``row``, by which texts and packed values follow where PyG takes a part
        (:mod:`gdsfd.graph.patient_graph`).
    """
    graph = PatientGraph()
    patient = graph["patient"]
    patient.num_nodes = len(cohort)
    patient.id = list(cohort.id)
    patient.subject = list(cohort.subject)
    patient.split = list(cohort.split)
    if cohort.environment is not None:
        patient.environment = list(cohort.environment)
    patient.groups = {name: list(values) for name, values in cohort.groups.items()}
    patient.y = _tensor(cohort.y)
    if cohort.follow_up is not None and cohort.event is not None:
        patient.follow_up, patient.event = _tensor(cohort.follow_up), _tensor(cohort.event)
    patient.row = torch.arange(len(cohort))
    graph["modality"].num_nodes = len(cohort.schema.names)
    graph["modality"].name = list(cohort.schema.names)
    graph["modality"].row = torch.arange(len(cohort.schema.names))
    for number, name in enumerate(cohort.schema.names):
        store = graph[edge_type(name)]
        observations = cohort.observations[name]
        owner = _tensor(observations.patient)
        store.edge_index = torch.stack([owner, torch.full_like(owner, number)])
        for key, value in arrays_of(observations).items():
            store[key] = _tensor(value)
        store.row = torch.arange(owner.numel())
    graph.schema = cohort.schema
    graph.receipt = cohort.receipt
    graph.spec = dict(cohort.spec)
    return graph


def _tensor(array: NDArray[Any]) -> Tensor:
    # Arrays that come from pandas or Arrow may be read-only, and torch warns about (and could write through) those.
    return torch.from_numpy(np.ascontiguousarray(array) if array.flags.writeable else array.copy())
