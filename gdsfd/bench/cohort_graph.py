"""A graph of random cohort data: vectors for each modality, one binary outcome."""

from __future__ import annotations

import torch
from torch_geometric.data import HeteroData

from gdsfd.bench.problem import Shape, random_layout
from gdsfd.cohort.schema import CohortSchema, ModalityFields, OutcomeFields
from gdsfd.graph.from_cohort import edge_type
from gdsfd.graph.patient_graph import PatientGraph

__all__ = ["FEATURES", "random_graph"]

FEATURES = 64  #: components of each modality's vector


def random_graph(shape: Shape, seed: int) -> HeteroData:
    """A graph as :func:`gdsfd.build_graph` makes it, without files: modalities of kind ``embedding``.

    Args:
        shape: Patients, modalities and density; the number type of the vectors.
        seed: Of the random numbers.
    """
    generator = torch.Generator().manual_seed(seed)
    layout = random_layout(shape, generator)
    names = [f"modality {number}" for number in range(shape.modalities)]
    graph = PatientGraph()
    graph["patient"].num_nodes = shape.patients
    positive = torch.rand(shape.patients, 1, generator=generator) < 0.2
    graph["patient"].y = positive.to(shape.torch_dtype)
    graph["modality"].num_nodes = shape.modalities
    for number, name in enumerate(names):
        edges = slice(int(layout.modality_ptr[number]), int(layout.modality_ptr[number + 1]))
        store = graph[edge_type(name)]
        store.edge_index = torch.stack([layout.patient[edges], layout.modality[edges]])
        store.vector = torch.randn(edges.stop - edges.start, FEATURES, generator=generator).to(shape.torch_dtype)
    modalities = tuple(ModalityFields(name, "embedding", width=FEATURES) for name in names)
    graph.schema = CohortSchema(modalities, (OutcomeFields("outcome", "outcome", ("no", "yes")),))
    return graph
