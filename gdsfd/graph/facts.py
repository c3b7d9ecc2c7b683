"""What the tables of presence, patterns and outcomes are worked out from, taken out of a graph."""

from __future__ import annotations

from torch_geometric.data import HeteroData

from gdsfd.cohort.patient_facts import PatientFacts, presence_matrix
from gdsfd.graph.from_cohort import edge_type

__all__ = ["facts_of_graph"]


def facts_of_graph(graph: HeteroData) -> PatientFacts:
    """The facts of a graph.

    Args:
        graph: A graph made by this package.
    """
    patient = graph["patient"]
    names = graph.schema.names
    return PatientFacts(
        modalities=names,
        presence=presence_matrix(
            [graph[edge_type(name)].edge_index[0].cpu().numpy() for name in names], patient.num_nodes
        ),
        subject=patient.subject,
        split=patient.split,
        environment=patient.get("environment"),
        y=patient.y.cpu().numpy(),
        outcomes=graph.schema.outcomes,
    )
