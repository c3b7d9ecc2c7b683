"""A small graph for networkx: inspection, components, drawings."""

from __future__ import annotations

from typing import Any

import networkx
from torch_geometric.data import HeteroData

from gdsfd.errors import InputError
from gdsfd.graph.from_cohort import edge_type

__all__ = ["to_networkx"]


def to_networkx(graph: HeteroData, max_nodes: int = 5000) -> networkx.Graph:
    """The patient-modality graph as a bipartite :class:`networkx.Graph`.

    A node is ``("patient", id)`` or ``("modality", name)``, so that an id may equal a modality's name. Patients carry
    ``row``, ``subject``, ``split``, ``y`` (a list), ``environment`` where declared and ``groups`` (a dict); modalities
    carry ``kind``. Both carry ``bipartite`` (0 = patient, 1 = modality), as networkx's bipartite functions want it.
    Observations themselves are not copied; an edge's ``edge`` is its number in the graph's edge store.

    Args:
        graph: The graph.
        max_nodes: The most nodes converted. networkx holds every node and edge as Python objects: over 100 times slower
            and larger than tensors.

    Raises:
        InputError: The graph has more nodes.
    """
    patient = graph["patient"]
    nodes = patient.num_nodes + len(graph.schema.names)
    if nodes > max_nodes:
        raise InputError(
            f"to_networkx: the graph has {nodes:,} nodes, more than max_nodes={max_nodes:,}. networkx is for small "
            f"graphs: convert some patients only, or say max_nodes={nodes} if you have the memory and the patience."
        )
    result = networkx.Graph()
    labels = patient.y.tolist()
    for row, name in enumerate(patient.id):
        attributes: dict[str, Any] = {
            "bipartite": 0,
            "row": row,
            "subject": patient.subject[row],
            "split": patient.split[row],
            "y": labels[row] if isinstance(labels[row], list) else [labels[row]],
            "groups": {group: values[row] for group, values in patient.groups.items()},
        }
        if "environment" in patient:
            attributes["environment"] = patient.environment[row]
        result.add_node(("patient", name), **attributes)
    for modality in graph.schema.modalities:
        node = ("modality", modality.name)
        result.add_node(node, bipartite=1, kind=modality.kind)
        for edge, row in enumerate(graph[edge_type(modality.name)].edge_index[0].tolist()):
            result.add_edge(("patient", patient.id[row]), node, edge=edge)
    return result
